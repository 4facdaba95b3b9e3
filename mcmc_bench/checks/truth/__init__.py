"""Checks of a truth: long runs that must agree, and exact draws measured against it.

Must not know any particular target or sampler.
"""
