"""The contracts: target, sampler, draws, results, streams of random numbers, identity.

Must not know any particular target, sampler or metric, nor who runs or reads them.
"""
