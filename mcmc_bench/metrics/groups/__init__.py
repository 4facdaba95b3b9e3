"""The metrics: a module for each group, or for a few metrics of it.

Every module here is found by listing. It knows what is measured of a cell and of its target. Must not know any particular
target or sampler, nor how runs are driven or shown.
"""
