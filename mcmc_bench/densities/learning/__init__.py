"""Scores learned from data: the network, its weights file, its density for kernels, and how it is trained.

Only `train` needs PyTorch. Must not know any particular data set, sampler or metric.
"""
