"""Findings: sentences about the results, with every number linked to its cell.

A sentence without its evidence is left out. Must not know any particular target or sampler, nor where a sentence stands.
"""
