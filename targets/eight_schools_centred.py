"""Eight schools, centred: the effects θⱼ themselves are coordinates, and their spread depends on one of them, as in a funnel."""

import numpy as np

from mcmc_bench.kernels.jit import is_finite
from mcmc_bench.target import Array, Natural, Target, point_density

from . import _eight_schools


@point_density
def log_density(x, gradient, data):
    """−½ Σ (yⱼ − θⱼ)²/σⱼ² − ½ Σ (θⱼ − μ)²/τ² − 8 u − ½ μ²/25 − log(1 + τ²/25) + u at (θ, μ, u = log τ); `data` holds y, σ.

    −∞ with a gradient of zero where it is below the smallest number.
    """
    # log(1 + τ²/25) and the share τ²/(25 + τ²), safe for any u.
    shifted = 2.0 * (x[9] - np.log(5.0))
    small = np.exp(-abs(shifted))
    tail = max(shifted, 0.0) + np.log1p(small)
    share = (1.0 if shifted > 0.0 else small) / (1.0 + small)
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
    if not is_finite(total):
        for i in range(10):
            gradient[i] = 0.0
        return total if np.isnan(total) and np.isnan(x.sum()) else -np.inf
    return total


def natural(x: Array) -> Array:
    """(θ, μ, τ) of points (n, 10)."""
    return np.column_stack([x[:, :9], np.exp(x[:, 9])])


def build() -> Target:
    """The posterior in ten dimensions."""

    def draw(generator: np.random.Generator, n: int) -> Array:
        theta, _, mu, u = _eight_schools.tables().draw(generator, n)
        return np.column_stack([theta, mu, u])

    def draw_dispersed(generator: np.random.Generator, n: int) -> Array:
        z, mu, u = _eight_schools.wide(generator, n)
        return np.column_stack([mu[:, None] + np.exp(u)[:, None] * z, mu, u])

    return Target(
        dim=10,
        density=log_density,
        data=_eight_schools.DATA,
        draw_exact=draw,
        draw_dispersed=draw_dispersed,
        one_point=np.concatenate([np.full(8, 4.0), [4.0, 1.0]]),
        truth=_eight_schools.truth(centred=True),
        natural=Natural(_eight_schools.NAMES, natural, _eight_schools.natural_truth()),
        tags=("hierarchical", "real data"),
        formula="yⱼ ~ N(θⱼ, σⱼ), θⱼ ~ N(μ, τ), μ ~ N(0, 5), τ ~ half-Cauchy(0, 5); coordinates θ, μ, log τ",
        description="The same posterior as eight_schools_noncentred in harder coordinates: what a change of parameters is worth.",
        source=_eight_schools.SOURCE,
        coordinate_names=(*_eight_schools.NAMES[:9], "log τ"),
    )
