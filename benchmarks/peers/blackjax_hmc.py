"""BlackJAX's HMC with a fixed step size, chain by chain. Needs blackjax."""

from mcmc_bench.core.sampler import Sampler, Setting

from ._jax import log_density_of, run_chains


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim)."""
    import blackjax
    import jax.numpy as jnp

    log_density = log_density_of(target)
    kernel = blackjax.hmc(
        log_density,
        step_size=settings["step_size"],
        inverse_mass_matrix=jnp.ones(target.dim),
        num_integration_steps=int(settings["num_integration_steps"]),
    )
    return run_chains(kernel, target, generator, start, draws)


SAMPLER = Sampler(
    kind="exact",
    description="BlackJAX: HMC",
    source="Cabezas et al. 2024, arXiv 2402.10797",
    draw=draw,
    evaluations_per_step=lambda settings: int(settings["num_integration_steps"]),
    settings={
        "step_size": Setting(0.1, "h, the leapfrog step", low=0.0, above=True),
        "num_integration_steps": Setting(10, "L, leapfrog steps in a transition", low=1, integer=True),
    },
)
