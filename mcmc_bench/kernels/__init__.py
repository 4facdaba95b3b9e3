"""Building blocks that samplers share: JIT flags, block evaluation, leapfrog, acceptance, the chunk loop.

Must not know any particular sampler, target or metric.
"""
