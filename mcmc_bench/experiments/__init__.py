"""The running half: from a suite to cells, from cells to results, and the gate that compares them with a baseline.

Must not know the report, nor any particular target or sampler.
"""
