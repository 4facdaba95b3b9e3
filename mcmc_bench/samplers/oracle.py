"""The oracle: independent draws from the target's exact sampler.

What a perfect sampler would give at the same number of draws. It runs through the same code as every sampler and is
a row in every table, so that no figure has to be judged without its floor. One draw counts as one evaluation.
"""

import numpy as np

from mcmc_bench.core.sampler import Sampler


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim); `target.exact_draws(n)` counts n evaluations for the block."""
    chains, dim = start.shape
    return np.asarray(target.exact_draws(generator, draws * chains)).reshape(draws, chains, dim)


SAMPLER = Sampler(
    kind="oracle",
    description="Independent exact draws: the floor of every error and the ceiling of every efficiency",
    source="the target's exact sampler",
    draw=draw,
    requires=("an exact sampler",),
    uses_gradient=False,
)
