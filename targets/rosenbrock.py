"""Rosenbrock: independent pairs, each a narrow curved valley whose exact moments are known."""

import numpy as np
from scipy import stats

from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth, point_density

from ._quadrature import normal_mean, quantiles

VARIANCE = 0.1  # of y given x


@point_density
def log_density(x, gradient, data):
    """−Σ [(x − 1)²/2 + (y − x²)²/2v] over the pairs (x, y) = (x[2k], x[2k + 1]); `data` holds v."""
    variance = data[0]
    total = 0.0
    for first in range(0, x.shape[0], 2):
        distance = x[first] - 1.0
        residual = x[first + 1] - x[first] ** 2
        gradient[first] = -distance + 2.0 * x[first] * residual / variance
        gradient[first + 1] = -residual / variance
        total -= 0.5 * distance**2 + 0.5 * residual**2 / variance
    return total


def build(blocks: int = 1) -> Target:
    """x ~ N(1, 1), y ~ N(x², 0.1), `blocks` times independently; coordinates x, y, x, y, …

    Args:
        blocks: number of pairs; the dimension is twice that.
    """
    if blocks < 1:
        raise ValueError(f"blocks = {blocks} must be at least 1")

    def draw(generator: np.random.Generator, n: int, width: float = 1.0) -> np.ndarray:
        z = width * generator.standard_normal((n, blocks, 2))
        x = 1.0 + z[:, :, 0]
        return np.stack([x, x**2 + np.sqrt(VARIANCE) * z[:, :, 1]], axis=2).reshape(n, 2 * blocks)

    # Powers of x ~ N(1, 1): E x² = 2, E x⁴ = 10, E x⁸ = 764.
    second_moment_of_y = 10.0 + VARIANCE
    fourth_moment_of_y = 764.0 + 6.0 * 10.0 * VARIANCE + 3.0 * VARIANCE**2
    quantiles_of_y = quantiles(
        lambda t: normal_mean(lambda z: stats.norm.cdf((t - (1.0 + z) ** 2) / np.sqrt(VARIANCE))), -10.0, 100.0
    )
    return Target(
        dim=2 * blocks,
        density=log_density,
        data=np.array([VARIANCE]),
        draw_exact=draw,
        draw_dispersed=lambda generator, n: draw(generator, n, width=2.0),
        one_point=np.tile([-1.0, 1.0], blocks),  # in the valley, on the far side of the bend
        truth=Truth(
            origin="exact",
            mean=np.tile([1.0, 2.0], blocks),
            second_moment=np.tile([2.0, second_moment_of_y], blocks),
            variance_of_square=np.tile([6.0, fourth_moment_of_y - second_moment_of_y**2], blocks),
            mean_log_density=-float(blocks),
            quantiles=np.tile(np.stack([1.0 + stats.norm.ppf(QUANTILE_LEVELS), quantiles_of_y]), (blocks, 1)),
            note="moments in closed form; quantiles of y by quadrature over x",
        ),
        tags=("curved",),
        formula="x ~ N(1, 1), y ~ N(x², 0.1), k independent pairs",
        description="A narrow curved valley with exact moments, in any even dimension.",
        source="Rosenbrock 1960, doi 10.1093/comjnl/3.3.175; Pagani, Wiegand and Nadarajah 2022, doi 10.1111/sjos.12532",
        coordinate_names=tuple(f"{name}{k}" for k in range(1, blocks + 1) for name in "xy"),
    )
