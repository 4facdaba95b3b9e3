"""Quartic: tails so light that the score grows with the cube of the distance, and no step size is small enough far out."""

import numpy as np
from scipy import special, stats

from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth, point_density


@point_density
def log_density(x, gradient, data):
    """−¼ Σ xᵢ⁴."""
    total = 0.0
    for i in range(x.shape[0]):
        cube = x[i] ** 3
        gradient[i] = -cube
        total += cube * x[i]
    return -0.25 * total


def build(dim: int = 4) -> Target:
    """p(x) ∝ Π exp(−xᵢ⁴/4).

    Args:
        dim: dimension.
    """
    second = 2.0 * special.gamma(0.75) / special.gamma(0.25)  # 0.675978; E x⁴ is 1
    levels = np.array(QUANTILE_LEVELS)
    # x⁴/4 follows Gamma(1/4); the distribution is symmetric.
    size = (4.0 * stats.gamma.ppf(np.abs(2.0 * levels - 1.0), 0.25)) ** 0.25

    def draw(generator: np.random.Generator, n: int) -> np.ndarray:
        sign = np.where(generator.random((n, dim)) < 0.5, -1.0, 1.0)
        return sign * (4.0 * generator.standard_gamma(0.25, (n, dim))) ** 0.25

    return Target(
        dim=dim,
        density=log_density,
        draw_exact=draw,
        draw_dispersed=lambda generator, n: generator.uniform(-2.5, 2.5, (n, dim)),
        one_point=np.full(dim, 2.0),
        truth=Truth(
            origin="exact",
            mean=np.zeros(dim),
            second_moment=np.full(dim, second),
            variance_of_square=np.full(dim, 1.0 - second**2),
            mean_log_density=-dim / 4.0,
            quantiles=np.tile(np.sign(levels - 0.5) * size, (dim, 1)),
            log_density_quantiles=-stats.gamma.isf(levels, dim / 4.0),
            note="closed form: x⁴/4 follows Gamma(1/4)",
        ),
        tags=("light-tailed",),
        formula="p(x) ∝ Π exp(−xᵢ⁴/4)",
        description="The score is not Lipschitz: unadjusted Langevin from a far start overflows, a tamed one does not.",
        source="Brosse, Durmus, Moulines and Sabanis 2017, arXiv 1710.05559",
    )
