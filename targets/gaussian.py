"""Gaussian with any condition number, rotated so that no coordinate is an eigenvector."""

import numpy as np
from scipy import stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import QUANTILE_LEVELS, Modes, Target, Truth, block_density


@block_density
def log_density(x, log_density, gradient, data):
    """−½ xᵀ Λ x with the precision Λ (dim, dim) stored in `data`; one matrix product for the whole block."""
    chains, dim = x.shape
    np.dot(x, data.reshape(dim, dim), gradient)
    for chain in range(chains):
        total = 0.0
        for i in range(dim):
            total += x[chain, i] * gradient[chain, i]
            gradient[chain, i] = -gradient[chain, i]
        log_density[chain] = -0.5 * total


def build(dim: int = 10, condition: float = 1.0) -> Target:
    """N(0, Σ) with variances from 1/condition to 1, log-spaced.

    Args:
        dim: dimension.
        condition: ratio of the largest to the smallest eigenvalue of Σ, at least 1.
    """
    if not 1 <= condition < np.inf:
        raise ValueError(f"condition = {condition} must be finite and at least 1")
    variances = np.logspace(0, -np.log10(condition), dim) if dim > 1 else np.ones(1)
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((dim, dim)))[0] if condition > 1 else np.eye(dim)
    covariance = (rotation * variances) @ rotation.T

    def precision(sigma: float) -> Array:
        """Λ of N(0, Σ + σ² I), which is N(0, Σ) ∗ N(0, σ² I)."""
        return ((rotation / (variances + sigma**2)) @ rotation.T).ravel()

    root = rotation * np.sqrt(variances)
    marginal = np.diag(covariance)
    return Target(
        dim=dim,
        density=log_density,
        data=precision(0.0),
        smoothed=precision,
        draw_exact=lambda generator, n: generator.standard_normal((n, dim)) @ root.T,
        draw_dispersed=lambda generator, n: 3.0 * generator.standard_normal((n, dim)) @ root.T,
        one_point=np.full(dim, 3.0) @ root.T,  # three standard deviations along every principal axis
        truth=Truth(
            origin="exact",
            mean=np.zeros(dim),
            second_moment=marginal,
            variance_of_square=2.0 * marginal**2,
            mean_log_density=-dim / 2.0,
            quantiles=np.sqrt(marginal)[:, None] * stats.norm.ppf(QUANTILE_LEVELS),
            log_density_quantiles=-0.5 * stats.chi2.isf(QUANTILE_LEVELS, dim),
            note="closed form",
        ),
        modes=Modes(locations=np.zeros((1, dim)), weights=np.ones(1), precision=1.0 / variances[None, :]),
        tags=("gaussian", *["ill-conditioned"] * (condition >= 100), *["high-dimensional"] * (dim >= 50)),
        formula="N(0, Σ), eigenvalues of Σ from 1/condition to 1",
        description="Everything about it is known in closed form, also what each sampler does on it.",
        source="closed form",
    )
