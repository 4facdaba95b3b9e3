"""Many-well: a double well in each coordinate, hence 2^dim modes with known unequal weights."""

import itertools

import numpy as np
from scipy import optimize

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Modes, Target, Truth, point_density

from ._quadrature import tabulated

#: Up to this dimension the 2^dim modes are listed.
LARGEST_DIM_WITH_MODES = 8
#: Points with a coordinate beyond ±3 belong to no mode; 1e-15 of the mass lies there.
EDGE = 3.0


@point_density
def log_density(x, gradient, data):
    """Σ ½ xᵢ + 6 xᵢ² − xᵢ⁴."""
    total = 0.0
    for i in range(x.shape[0]):
        square = x[i] ** 2
        gradient[i] = 0.5 + x[i] * (12.0 - 4.0 * square)
        total += 0.5 * x[i] + square * (6.0 - square)
    return total


def _exact(generator: np.random.Generator, n: int) -> Array:
    """`n` exact draws of one coordinate, by rejection.

    With m = √3, 6x² − x⁴ = 9 − (|x| − m)² (|x| + m)² ≤ 9 − 3 (|x| − m)²: on each side of zero a Gaussian with mean
    ±m + 1/12 and variance 1/6 lies above the density, linear term included. Half of the proposals are accepted.
    """
    root = np.sqrt(3.0)
    share_of_right = 1.0 / (1.0 + np.exp(-root))  # of the two Gaussians' masses, e^{±√3/2}
    draws = np.empty(0)
    while len(draws) < n:
        size = 2 * (n - len(draws)) + 64
        sign = np.where(generator.random(size) < share_of_right, 1.0, -1.0)
        x = sign * root + 1.0 / 12.0 + generator.standard_normal(size) / np.sqrt(6.0)
        log_ratio = 3.0 * (np.abs(x) - root) ** 2 - (x**2 - 3.0) ** 2
        accepted = (sign * x > 0) & (generator.random(size) < np.exp(np.minimum(log_ratio, 0.0)))
        draws = np.append(draws, x[accepted])
    return draws[:n]


def build(dim: int = 4) -> Target:
    """Each coordinate ∝ exp(½ x + 6 x² − x⁴), independent.

    Args:
        dim: dimension; up to 8 the modes are listed.
    """
    grid, probability, _, quantiles = tabulated(lambda x: 0.5 * x + 6.0 * x**2 - x**4, -5.0, 5.0)
    second, fourth = probability @ grid**2, probability @ grid**4
    modes = None
    if 1 <= dim <= LARGEST_DIM_WITH_MODES:
        wells = [optimize.brentq(lambda x: 0.5 + 12.0 * x - 4.0 * x**3, *at) for at in ((-2.5, -1.0), (1.0, 2.5))]
        at_zero = probability[grid == 0.0].sum() / 2.0
        right = probability[grid > 0].sum() + at_zero
        signs = np.array(list(itertools.product((0, 1), repeat=dim)))  # (mode, dim); the first coordinate counts most
        place = 2 ** np.arange(dim)[::-1]
        modes = Modes(
            locations=np.array(wells)[signs],
            weights=np.prod(np.array([1.0 - right, right])[signs], axis=1),
            assignment=lambda x: np.where((np.abs(x) <= EDGE).all(axis=1), (x > 0).astype(np.int64) @ place, -1),
        )
    return Target(
        dim=dim,
        density=log_density,
        draw_exact=lambda generator, n: _exact(generator, n * dim).reshape(n, dim),
        draw_dispersed=lambda generator, n: generator.uniform(-3.0, 3.0, (n, dim)),
        one_point=np.full(dim, -1.0),
        truth=Truth(
            origin="quadrature",
            mean=np.full(dim, probability @ grid),
            second_moment=np.full(dim, second),
            variance_of_square=np.full(dim, fourth - second**2),
            mean_log_density=float(dim * (probability @ (0.5 * grid + 6.0 * grid**2 - grid**4))),
            quantiles=np.tile(quantiles, (dim, 1)),
            note="one-dimensional quadrature, exact to rounding; Z = 11784.509265 per coordinate",
        ),
        modes=modes,
        tags=("multimodal",),
        formula="p(x) ∝ Π exp(½ xᵢ + 6 xᵢ² − xᵢ⁴)",
        description="2^dim modes that are not Gaussian, with unequal weights known to rounding.",
        source="Noé, Olsson, Köhler and Wu 2019, arXiv 1812.01729; Midgley et al. 2022, arXiv 2208.01893",
    )
