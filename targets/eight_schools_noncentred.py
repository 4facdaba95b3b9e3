"""Eight schools, non-centred: standardised effects zⱼ, so that the prior is no funnel."""

import numpy as np

from mcmc_bench.kernels.jit import is_finite
from mcmc_bench.target import Array, Natural, Target, point_density

from . import _eight_schools


@point_density
def log_density(x, gradient, data):
    """−½ Σ (yⱼ − μ − τ zⱼ)²/σⱼ² − ½ Σ zⱼ² − ½ μ²/25 − log(1 + τ²/25) + u at (z, μ, u = log τ); `data` holds y, σ.

    −∞ with a gradient of zero where it is below the smallest number.
    """
    # log(1 + τ²/25) and the share τ²/(25 + τ²), safe for any u.
    shifted = 2.0 * (x[9] - np.log(5.0))
    small = np.exp(-abs(shifted))
    tail = max(shifted, 0.0) + np.log1p(small)
    share = (1.0 if shifted > 0.0 else small) / (1.0 + small)
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
    if not is_finite(total):
        for i in range(10):
            gradient[i] = 0.0
        return total if np.isnan(total) and np.isnan(x.sum()) else -np.inf
    return total


def natural(x: Array) -> Array:
    """(θ, μ, τ) of points (n, 10)."""
    return np.column_stack([x[:, 8:9] + np.exp(x[:, 9:]) * x[:, :8], x[:, 8], np.exp(x[:, 9])])


def build() -> Target:
    """The posterior in ten dimensions."""

    def draw(generator: np.random.Generator, n: int) -> Array:
        _, z, mu, u = _eight_schools.tables().draw(generator, n)
        return np.column_stack([z, mu, u])

    def draw_dispersed(generator: np.random.Generator, n: int) -> Array:
        z, mu, u = _eight_schools.wide(generator, n)
        return np.column_stack([z, mu, u])

    return Target(
        dim=10,
        density=log_density,
        data=_eight_schools.DATA,
        draw_exact=draw,
        draw_dispersed=draw_dispersed,
        one_point=np.concatenate([np.zeros(8), [4.0, 1.0]]),
        truth=_eight_schools.truth(centred=False),
        natural=Natural(_eight_schools.NAMES, natural, _eight_schools.natural_truth()),
        tags=("hierarchical", "real data"),
        formula="yⱼ ~ N(μ + τ zⱼ, σⱼ), zⱼ ~ N(0, 1), μ ~ N(0, 5), τ ~ half-Cauchy(0, 5); coordinates z, μ, log τ",
        description="The textbook hierarchical model in the coordinates that suit it, with a truth that needs no sampler.",
        source=_eight_schools.SOURCE,
        coordinate_names=(*(f"z{j + 1}" for j in range(8)), "μ", "log τ"),
    )
