"""Banana: a Gaussian bent along a parabola, so that no one step size suits both its arms and its belly."""

import numpy as np
from scipy import stats

from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth, point_density

from ._quadrature import normal_mean, quantiles


@point_density
def log_density(x, gradient, data):
    """−x₀²/2s² − ½ r² with r = x₁ − b (x₀² − s²); `data` holds b, s."""
    curvature, scale = data[0], data[1]
    residual = x[1] - curvature * (x[0] ** 2 - scale**2)
    gradient[0] = -x[0] / scale**2 + 2.0 * curvature * x[0] * residual
    gradient[1] = -residual
    return -0.5 * (x[0] / scale) ** 2 - 0.5 * residual**2


def build(curvature: float = 0.03, scale: float = 10.0) -> Target:
    """x₀ ~ N(0, s²), x₁ ~ N(b (x₀² − s²), 1).

    Args:
        curvature: b.
        scale: s, the standard deviation of x₀.
    """
    if not (0 < scale < np.inf and np.isfinite(curvature)):
        raise ValueError(f"scale = {scale} must be greater than 0, and it and curvature = {curvature} finite")
    bend = curvature * scale**2

    def draw(generator: np.random.Generator, n: int, width: float = 1.0) -> np.ndarray:
        z = width * generator.standard_normal((n, 2))
        return np.column_stack([scale * z[:, 0], bend * (z[:, 0] ** 2 - 1.0) + z[:, 1]])

    second = np.array([scale**2, 2.0 * bend**2 + 1.0])
    # E (z² − 1)⁴ = 60 for a standard normal z, so E x₁⁴ = 60 c⁴ + 6 · 2 c² + 3 with c = b s².
    fourth = np.array([3.0 * scale**4, 60.0 * bend**4 + 12.0 * bend**2 + 3.0])
    width = 60.0 * abs(bend) + 10.0
    return Target(
        dim=2,
        density=log_density,
        data=np.array([curvature, scale]),
        draw_exact=draw,
        draw_dispersed=lambda generator, n: draw(generator, n, width=2.0),
        one_point=np.array([1.5 * scale, 1.25 * bend]),  # on the ridge, in one of the two arms
        truth=Truth(
            origin="exact",
            mean=np.zeros(2),
            second_moment=second,
            variance_of_square=fourth - second**2,
            mean_log_density=-1.0,
            quantiles=np.stack(
                [
                    scale * stats.norm.ppf(QUANTILE_LEVELS),
                    quantiles(lambda t: normal_mean(lambda z: stats.norm.cdf(t - bend * (z**2 - 1.0))), -width, width),
                ]
            ),
            log_density_quantiles=-0.5 * stats.chi2.isf(QUANTILE_LEVELS, 2),  # a Gaussian bent without stretching
            note="moments in closed form; quantiles of x₁ by quadrature over x₀",
        ),
        tags=("curved",),
        formula="x₀ ~ N(0, s²), x₁ ~ N(b (x₀² − s²), 1), b = 0.03, s = 10",
        description="Curved: the direction of easy movement changes from place to place.",
        source="Haario, Saksman and Tamminen 1999, doi 10.1007/s001800050022",
    )
