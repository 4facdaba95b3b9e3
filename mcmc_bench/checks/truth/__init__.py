"""Whether a truth is true: long runs that must agree, and exact draws measured against it.

Must not know any particular target or sampler.
"""
