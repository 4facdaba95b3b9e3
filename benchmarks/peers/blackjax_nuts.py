"""BlackJAX's NUTS with its window adaptation, chain by chain. Needs blackjax."""

import numpy as np

from mcmc_bench.core.sampler import Sampler, Setting

from ._jax import compiled, log_density_of


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim); what the adaptation costs is in the count."""
    import blackjax
    import jax

    log_density = log_density_of(target)
    keys = jax.random.split(jax.random.key(int(generator.integers(2**31))), (len(start), 2))
    adaptation = blackjax.window_adaptation(
        blackjax.nuts, log_density, target_acceptance_rate=settings["target_acceptance"]
    )

    def adapt(key, position):
        return adaptation.run(key, position, num_steps=int(settings["tuning_transitions"]))[0]

    def sample(key, state, parameters):
        kernel = blackjax.nuts(log_density, **parameters)

        def step(state, key):
            state, _ = kernel.step(key, state)
            return state, state.position

        return jax.lax.scan(step, state, jax.random.split(key, draws))[1]

    result = jax.eval_shape(adapt, keys[0, 0], start[0])
    adapt, sample = compiled(adapt, keys[0, 0], start[0]), compiled(sample, keys[0, 1], *result)
    target.ends("compilation")
    positions = []
    for (first, second), position in zip(keys, start, strict=True):
        result = jax.block_until_ready(adapt(first, position))
        target.ends("tuning")
        positions.append(np.asarray(sample(second, *result)))
        target.ends("sampling")
    return np.stack(positions, axis=1)


SAMPLER = Sampler(
    kind="exact",
    description="BlackJAX: NUTS with window adaptation",
    source="Cabezas et al. 2024, arXiv 2402.10797",
    draw=draw,
    evaluations_per_step=lambda settings: 10,
    varying_cost=True,
    settings={
        "tuning_transitions": Setting(300, "transitions of the window adaptation", low=50, integer=True),
        "target_acceptance": Setting(0.8, "acceptance that the step size is tuned to", low=0.0, high=1.0, above=True),
    },
)
