"""The pages of a comparison and of a history of accepted comparisons.

Must not decide anything: the verdicts are those of `mcmc_bench.comparison`.
"""
