"""Neal's funnel: one coordinate sets the scale of all others, over five orders of magnitude."""

import numpy as np
from scipy import stats

from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth, point_density

from ._quadrature import normal_mean, quantiles

SCALE = 3.0  # standard deviation of v


@point_density
def log_density(x, gradient, data):
    """−v²/2s² − Σ [½ xᵢ² e^−v + v/2] with v = x[0]; `data` holds s."""
    v, variance = x[0], data[0] ** 2
    precision = np.exp(-v)
    total = 0.0
    for i in range(1, x.shape[0]):
        scaled = x[i] * precision
        gradient[i] = -scaled
        total += x[i] * scaled
    others = x.shape[0] - 1
    gradient[0] = -v / variance + 0.5 * total - 0.5 * others
    return -0.5 * v**2 / variance - 0.5 * total - 0.5 * others * v


def build(dim: int = 10) -> Target:
    """v ~ N(0, 3²), xᵢ ~ N(0, e^v).

    Args:
        dim: dimension, v included; at least 2.
    """
    if dim < 2:
        raise ValueError(f"dim = {dim} must be at least 2")

    def exact(generator: np.random.Generator, n: int) -> np.ndarray:
        z = generator.standard_normal((n, dim))
        v = SCALE * z[:, :1]
        return np.hstack([v, np.exp(v / 2.0) * z[:, 1:]])

    def dispersed(generator: np.random.Generator, n: int) -> np.ndarray:
        # Not a wider Gaussian for v: starts deep in the neck, where no step of a usual size is ever accepted, would
        # make every sampler look alike.
        v = generator.uniform(-2.0 * SCALE, 2.0 * SCALE, (n, 1))
        return np.hstack([v, 2.0 * np.exp(v / 2.0) * generator.standard_normal((n, dim - 1))])

    # E e^{kv} = e^{k² s²/2} for v ~ N(0, s²).
    second = np.exp(SCALE**2 / 2.0)
    fourth = 3.0 * np.exp(2.0 * SCALE**2)
    quantiles_of_x = quantiles(
        lambda t: normal_mean(lambda z: stats.norm.cdf(t * np.exp(-SCALE * z / 2.0))), -1000.0, 1000.0
    )
    others = dim - 1
    return Target(
        dim=dim,
        density=log_density,
        data=np.array([SCALE]),
        draw_exact=exact,
        draw_dispersed=dispersed,
        one_point=np.concatenate([[SCALE], np.ones(others)]),
        truth=Truth(
            origin="exact",
            mean=np.zeros(dim),
            second_moment=np.concatenate([[SCALE**2], np.full(others, second)]),
            variance_of_square=np.concatenate([[2.0 * SCALE**4], np.full(others, fourth - second**2)]),
            mean_log_density=-dim / 2.0,
            quantiles=np.vstack([SCALE * stats.norm.ppf(QUANTILE_LEVELS), np.tile(quantiles_of_x, (others, 1))]),
            note="moments in closed form; quantiles of x by quadrature over v",
        ),
        tags=("hierarchical", "heavy-tailed"),
        formula="v ~ N(0, 3²), xᵢ ~ N(0, eᵛ)",
        description="What hierarchical models look like to a sampler: no fixed step size suits both mouth and neck.",
        source="Neal 2003, Slice sampling, doi 10.1214/aos/1056562461",
        coordinate_names=("v", *(f"x{i}" for i in range(1, dim))),
    )
