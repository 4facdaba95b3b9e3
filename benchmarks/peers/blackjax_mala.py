"""BlackJAX's MALA with a fixed step size, chain by chain. Needs blackjax."""

from mcmc_bench.core.sampler import Sampler, Setting

from ._jax import log_density_of, run_chains


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim)."""
    import blackjax

    log_density = log_density_of(target)
    kernel = blackjax.mala(log_density, step_size=settings["step_size"])
    return run_chains(kernel, target, generator, start, draws)


SAMPLER = Sampler(
    kind="exact",
    description="BlackJAX: MALA",
    source="Cabezas et al. 2024, arXiv 2402.10797",
    draw=draw,
    settings={"step_size": Setting(0.1, "ε in x + ε ∇log p(x) + √(2ε) z", low=0.0, above=True)},
)
