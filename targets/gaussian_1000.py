"""A dense Gaussian in a thousand dimensions."""

import dataclasses

from mcmc_bench.core.target import Target

from . import gaussian


def build(condition: float = 100.0) -> Target:
    """N(0, Σ) in 1000 dimensions, rotated, with variances from 1/condition to 1.

    Args:
        condition: ratio of the largest to the smallest eigenvalue of Σ, at least 1.
    """
    return dataclasses.replace(
        gaussian.build(1000, condition),
        description="High dimension alone: what the cost of a step and the number of steps do as d grows.",
    )
