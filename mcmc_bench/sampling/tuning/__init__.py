"""Tuning: step size, mass matrix, trajectory length and ladder, from chains that run.

Must not know any particular target or sampler, nor what the draws are for.
"""
