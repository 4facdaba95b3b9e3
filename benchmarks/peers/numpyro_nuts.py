"""NumPyro's NUTS with its window adaptation, chain by chain. Needs numpyro.

It cannot be compiled without being run: a first chain, which is thrown away, stands for the compilation, whose seconds are
therefore a little too many.
"""

import numpy as np

from mcmc_bench.core.sampler import Sampler, Setting

from ._jax import log_density_of


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim); what the adaptation costs is in the count."""
    import jax
    from numpyro.infer import MCMC, NUTS

    log_density = log_density_of(target)
    sampler = MCMC(
        NUTS(potential_fn=lambda x: -log_density(x)),
        num_warmup=int(settings["tuning_transitions"]),
        num_samples=draws,
        progress_bar=False,
    )

    def one_chain(position):
        first, second = jax.random.split(jax.random.key(int(generator.integers(2**31))))
        sampler.warmup(first, init_params=position)
        yield "tuning"
        sampler.run(second)
        yield "sampling"

    list(one_chain(start[0]))
    target.ends("compilation")
    positions = []
    for position in start:
        for phase in one_chain(position):
            target.ends(phase)
        positions.append(np.asarray(sampler.get_samples()))
    return np.stack(positions, axis=1)


SAMPLER = Sampler(
    kind="exact",
    description="NumPyro: NUTS with window adaptation",
    source="Phan, Pradhan and Jankowiak 2019, arXiv 1912.11554",
    draw=draw,
    evaluations_per_step=lambda settings: 10,
    varying_cost=True,
    settings={"tuning_transitions": Setting(300, "transitions of the window adaptation", low=50, integer=True)},
)
