"""Student's t, independent in each coordinate: tails so heavy that some moments do not exist."""

import numpy as np
from scipy import special, stats

from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth, point_density


@point_density
def log_density(x, gradient, data):
    """−(ν + 1)/2 Σ log(1 + xᵢ²/ν); `data` holds ν."""
    degrees = data[0]
    total = 0.0
    for i in range(x.shape[0]):
        gradient[i] = -(degrees + 1.0) * x[i] / (degrees + x[i] ** 2)
        total += np.log1p(x[i] ** 2 / degrees)
    return -0.5 * (degrees + 1.0) * total


def build(dim: int = 2, degrees_of_freedom: float = 3.0) -> Target:
    """Independent t with ν degrees of freedom in each coordinate; ν = 1 is Cauchy's.

    Args:
        dim: dimension.
        degrees_of_freedom: ν > 0. The mean exists for ν > 1, E x² is finite for ν > 2, Var x² for ν > 4.
    """
    nu = float(degrees_of_freedom)
    if not (0 < nu < np.inf):
        raise ValueError(f"degrees_of_freedom = {degrees_of_freedom} must be greater than 0 and finite")
    second = nu / (nu - 2.0) if nu > 2 else np.inf
    variance_of_square = 3.0 * nu**2 / ((nu - 2.0) * (nu - 4.0)) - second**2 if nu > 4 else np.inf
    # log(1 + t²/ν) is −log of a Beta(ν/2, 1/2) variable.
    mean_log = special.digamma((nu + 1.0) / 2.0) - special.digamma(nu / 2.0)
    return Target(
        dim=dim,
        density=log_density,
        data=np.array([nu]),
        draw_exact=lambda generator, n: generator.standard_t(nu, (n, dim)),
        draw_dispersed=lambda generator, n: generator.uniform(-10.0, 10.0, (n, dim)),
        one_point=np.full(dim, 5.0),
        truth=Truth(
            origin="exact",
            mean=np.full(dim, 0.0 if nu > 1 else np.nan),
            second_moment=np.full(dim, second),
            variance_of_square=np.full(dim, variance_of_square),
            mean_log_density=float(-0.5 * (nu + 1.0) * dim * mean_log),
            quantiles=np.tile(stats.t.ppf(QUANTILE_LEVELS, nu), (dim, 1)),
            note="closed form",
        ),
        smallest_power=1.0 / (nu + 1.0),  # p^β falls as |xᵢ|^−β(ν + 1) in each coordinate
        tags=("heavy-tailed",),
        formula="p(x) ∝ Π (1 + xᵢ²/ν)^−(ν + 1)/2",
        description="Heavy tails: the score dies away far out, and sample moments lie.",
        source="Student 1908, doi 10.2307/2331554",
    )
