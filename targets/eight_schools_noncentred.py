"""Eight schools, non-centred: standardised effects zⱼ, so that the prior is no funnel."""

import numpy as np

from mcmc_bench.core.target import Target, point_density

from . import _eight_schools
from ._eight_schools import half_cauchy
from ._finite import finite_or_nothing


@point_density
def log_density(x, gradient, data):
    """−½ Σ (yⱼ − μ − τ zⱼ)²/σⱼ² − ½ Σ zⱼ² − ½ μ²/25 − log(1 + τ²/25) + u at (z, μ, u = log τ); `data` holds y, σ.

    −∞ with a gradient of zero where it is below the smallest number.
    """
    tail, share = half_cauchy(x[9])
    tau = np.exp(x[9])
    mu_slope, u_slope, square, fit = 0.0, 0.0, 0.0, 0.0
    for j in range(8):
        away = (data[j] - x[8] - tau * x[j]) / data[8 + j]
        slope = away / data[8 + j]
        fit += away * away
        square += x[j] ** 2
        gradient[j] = tau * slope - x[j]
        mu_slope += slope
        u_slope += tau * x[j] * slope
    gradient[8] = mu_slope - x[8] / 25.0
    gradient[9] = u_slope + 1.0 - 2.0 * share
    total = -0.5 * (fit + square + x[8] ** 2 / 25.0) + x[9] - tail
    return finite_or_nothing(total, x, gradient)


def build() -> Target:
    """The posterior in ten dimensions."""
    return _eight_schools.target(
        log_density,
        centred=False,
        formula="yⱼ ~ N(μ + τ zⱼ, σⱼ), zⱼ ~ N(0, 1), μ ~ N(0, 5), τ ~ half-Cauchy(0, 5); coordinates z, μ, log τ",
        description="The textbook hierarchical model in the coordinates that suit it, with a truth that needs no sampler.",
    )
