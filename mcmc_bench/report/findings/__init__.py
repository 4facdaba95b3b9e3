"""What the results say, in sentences, each with its numbers linked to their cells.

A sentence without its evidence is left out. Must not know any particular target or sampler, nor where a sentence stands.
"""
