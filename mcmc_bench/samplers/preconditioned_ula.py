"""Preconditioned unadjusted Langevin algorithm.

    x' = x + ε P ∇log p(x) + √(2ε) P^{½} z,   z ~ N(0, I)

P is the inverse mass matrix: given, or tuned to the covariance of the draws. In coordinates u with x = P^{½} u this is
ULA, u' = u + ε ∇log p(u) + √(2ε) z, and that is how it is computed. Convention of ε as in `ula`.
"""

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.langevin import characteristic_of, unadjusted_step, variance_on_gaussian


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    (step_size,) = settings
    unadjusted_step(
        target, data, generator, step_size, 1.0, position, log_density, gradient, statistics, scratch, evaluations
    )


def stationary_variance(settings, precision):
    """1 / (λ (1 − ελ/2)) with P = I, as ULA's; with P it is that of the density of u."""
    return variance_on_gaussian(settings["step_size"], 1.0, precision)


def characteristic(settings, target, x, a):
    """exp(i ε a·g − ε ‖a‖²) with P = I, g = ∇log p: a Gaussian step."""
    return characteristic_of(target.log_density_and_gradient(x)[1], a, settings["step_size"])


SAMPLER = Sampler(
    kind="biased",
    description="ULA in coordinates in which the target is round: one step size fits all directions",
    source="Roberts and Stramer 2002, doi 10.1023/A:1023562417138; Titsias 2023, arXiv 2305.14442",
    step=step,
    scratch=2,
    uses_inverse_mass_matrix=True,
    adaptation=Adaptation("energy", goal=0.02, exponent=3.0),
    settings={"step_size": Setting(0.1, "ε in x + ε P ∇log p(x) + √(2ε) P^{½} z", low=0.0, above=True)},
    stationary_variance=stationary_variance,
    characteristic=characteristic,
)
