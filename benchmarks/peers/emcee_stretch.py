"""emcee's affine-invariant stretch move: the chains are the walkers of one ensemble. Needs emcee; no gradient.

Walkers are not independent of each other, so that what rests on independent chains (R-hat, intervals within a replicate)
is to be read with care. An ensemble needs at least twice as many walkers as dimensions.
"""

import numpy as np

from mcmc_bench.core.sampler import Sampler


def draw(target, generator, start, draws, settings):  # noqa: ARG001 - the contract's; there are none
    """Positions (draws, chain, dim)."""
    import emcee

    chains, dim = start.shape
    if chains < 2 * dim:
        raise ValueError(f"emcee needs at least {2 * dim} chains in {dim} dimensions, not {chains}")
    sampler = emcee.EnsembleSampler(chains, dim, lambda x: target.log_density_and_gradient(x)[0], vectorize=True)
    sampler.random_state = np.random.RandomState(int(generator.integers(2**31))).get_state()
    sampler.run_mcmc(start, draws)
    return sampler.get_chain()


SAMPLER = Sampler(
    kind="exact",
    description="emcee: an ensemble of walkers that stretch along each other; no gradient, no tuning",
    source="Foreman-Mackey et al. 2013, arXiv 1202.3665; Goodman and Weare 2010",
    draw=draw,
    block_chains="all",
    uses_gradient=False,
)
