"""BlackJAX's MALA with a fixed step size, chain by chain. Needs blackjax."""

import numpy as np

from mcmc_bench.sampler import Sampler, Setting

from ._jax import log_density_of


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim)."""
    import blackjax
    import jax
    import jax.numpy as jnp

    log_density = log_density_of(target)
    kernel = blackjax.mala(log_density, step_size=settings["step_size"])
    keys = jax.random.split(jax.random.key(int(generator.integers(2**31))), len(start))

    def step(state, key):
        state, _ = kernel.step(key, state)
        return state, state.position

    @jax.jit
    def one_chain(key, position):
        return jax.lax.scan(step, kernel.init(position), jax.random.split(key, draws))[1]

    chains = [np.asarray(one_chain(key, jnp.asarray(position))) for key, position in zip(keys, start, strict=True)]
    return np.stack(chains, axis=1)


SAMPLER = Sampler(
    kind="exact",
    description="BlackJAX: MALA",
    source="Cabezas et al. 2024, arXiv 2402.10797",
    draw=draw,
    settings={"step_size": Setting(0.1, "ε in x + ε ∇log p(x) + √(2ε) z", low=0.0, above=True)},
)
