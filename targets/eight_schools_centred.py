"""Eight schools, centred: the effects θⱼ themselves are coordinates, and their spread depends on one of them, as in a funnel."""

import numpy as np

from mcmc_bench.core.target import Target, point_density

from . import _eight_schools
from ._eight_schools import half_cauchy
from ._finite import finite_or_nothing


@point_density
def log_density(x, gradient, data):
    """−½ Σ (yⱼ − θⱼ)²/σⱼ² − ½ Σ (θⱼ − μ)²/τ² − 8 u − ½ μ²/25 − log(1 + τ²/25) + u at (θ, μ, u = log τ); `data` holds y, σ.

    −∞ with a gradient of zero where it is below the smallest number.
    """
    tail, share = half_cauchy(x[9])
    shrink = np.exp(-x[9])
    mu_slope, square, fit = 0.0, 0.0, 0.0
    for j in range(8):
        away = (data[j] - x[j]) / data[8 + j]
        z = (x[j] - x[8]) * shrink
        fit += away * away
        square += z * z
        gradient[j] = away / data[8 + j] - z * shrink
        mu_slope += z * shrink
    gradient[8] = mu_slope - x[8] / 25.0
    gradient[9] = square - 7.0 - 2.0 * share
    total = -0.5 * (fit + square + x[8] ** 2 / 25.0) - 7.0 * x[9] - tail
    return finite_or_nothing(total, x, gradient)


def build() -> Target:
    """The posterior in ten dimensions."""
    return _eight_schools.target(
        log_density,
        centred=True,
        formula="yⱼ ~ N(θⱼ, σⱼ), θⱼ ~ N(μ, τ), μ ~ N(0, 5), τ ~ half-Cauchy(0, 5); coordinates θ, μ, log τ",
        description="The same posterior as eight_schools_noncentred in harder coordinates: what a change of parameters is worth.",
    )
