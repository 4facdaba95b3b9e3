"""A dense Gaussian in a hundred dimensions, its axes a thousand times apart in variance."""

import dataclasses

from mcmc_bench.core.target import Target

from . import gaussian


def build(condition: float = 1000.0) -> Target:
    """N(0, Σ) in 100 dimensions, rotated, with variances from 1/condition to 1.

    Args:
        condition: ratio of the largest to the smallest eigenvalue of Σ, at least 1.
    """
    return dataclasses.replace(
        gaussian.build(100, condition),
        description="Every coordinate is correlated with every other: the smallest target on which a matrix product is the cost.",
    )
