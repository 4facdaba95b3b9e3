"""The chains of one cell: from starts over tuning to draws.

Must not know suites, metrics or reports, nor any particular target or sampler.
"""
