"""Unadjusted Langevin algorithm.

    x' = x + ε ∇log p(x) + √(2 ε τ) z,   z ~ N(0, I)

Convention: the step size ε multiplies the gradient once and the noise is √(2ε) at temperature τ = 1. Papers that
write x + (ε/2) ∇log p + √ε z (Roberts and Tweedie 1996) mean twice this step size. τ is the noise dial:
τ = 1 is ULA, τ = 0 is gradient ascent.
"""

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.langevin import characteristic_of, unadjusted_step, variance_on_gaussian


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, temperature = settings
    unadjusted_step(
        target,
        data,
        generator,
        step_size,
        temperature,
        position,
        log_density,
        gradient,
        statistics,
        scratch,
        evaluations,
    )


def stationary_variance(settings, precision):
    """τ / (λ (1 − ελ/2)) along each eigenvector of the precision λ; infinite where ε ≥ 2/λ."""
    return variance_on_gaussian(settings["step_size"], settings["temperature"], precision)


def characteristic(settings, target, x, a):
    """exp(i ε a·g − ετ ‖a‖²), g = ∇log p: a Gaussian step."""
    return characteristic_of(target.log_density_and_gradient(x)[1], a, settings["step_size"], settings["temperature"])


SAMPLER = Sampler(
    kind="biased",
    description="Langevin steps with Gaussian noise and no correction: its step size leaves a bias",
    source="Roberts and Tweedie 1996, doi 10.2307/3318418",
    step=step,
    scratch=2,
    adaptation=Adaptation("energy", goal=0.02, exponent=3.0, mass_matrix=False),
    settings={
        "step_size": Setting(0.1, "ε in x + ε ∇log p(x) + √(2ετ) z", low=0.0, above=True),
        "temperature": Setting(1.0, "τ, the noise dial: 0 is gradient ascent, 1 is Langevin", low=0.0),
    },
    stationary_variance=stationary_variance,
    characteristic=characteristic,
)
