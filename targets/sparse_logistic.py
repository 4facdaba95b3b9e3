"""Sparse logistic regression: a scale for every coefficient and one for all, so that most coefficients may vanish.

The data are those of german_credit_logistic. Its truth is a run of NUTS with which HMC agrees (`mcmc-bench reference
sparse_logistic --samplers nuts,hmc --error 0.012 --minutes 26`): log λ has a long tail to the left, so that the steps have to
be far shorter than the acceptance asks for, and E x² of some log λ is known within 0.011 of its standard deviation.
"""

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Constrained, Target, block_density

from ._finite import finite_or_nothing
from ._logistic import log_likelihood
from .german_credit_logistic import credit_rows


@block_density
def log_density(x, log_density, gradient, data):
    """The log likelihood at β = τ λ ∘ z, − ½ ‖z‖² + Σ (½ u − ½ e^u) over u = log λ₁ … log λ_k, log τ.

    Coordinates are z (k,), log λ (k,), log τ; `data` holds the rows of `_logistic.log_likelihood`. Gamma(½, ½) of a scale
    is ½ u − ½ e^u in its logarithm, Jacobian included. −∞ where a scale is beyond the largest number.
    """
    chains, dim = x.shape
    k = dim // 2
    beta, slope = np.empty((chains, k)), np.empty((chains, k))
    for chain in range(chains):
        common = np.exp(x[chain, 2 * k])
        for i in range(k):
            beta[chain, i] = common * np.exp(x[chain, k + i]) * x[chain, i]
    log_likelihood(beta, log_density, slope, data.reshape(-1, k))
    for chain in range(chains):
        common = np.exp(x[chain, 2 * k])
        total = log_density[chain] + 0.5 * x[chain, 2 * k] - 0.5 * common
        of_common = 0.5 - 0.5 * common
        for i in range(k):
            local = np.exp(x[chain, k + i])
            total += 0.5 * x[chain, k + i] - 0.5 * local - 0.5 * x[chain, i] ** 2
            gradient[chain, i] = slope[chain, i] * common * local - x[chain, i]
            gradient[chain, k + i] = slope[chain, i] * beta[chain, i] + 0.5 - 0.5 * local
            of_common += slope[chain, i] * beta[chain, i]
        gradient[chain, 2 * k] = of_common
        log_density[chain] = finite_or_nothing(total, x[chain], gradient[chain])


def constrained(x: Array) -> Array:
    """(β, τ) of points (n, 51)."""
    k = x.shape[1] // 2
    tau = np.exp(x[:, 2 * k :])
    return np.column_stack([tau * np.exp(x[:, k : 2 * k]) * x[:, :k], tau])


def build() -> Target:
    """The posterior of (z, log λ, log τ)."""
    rows = credit_rows()
    k = rows.shape[1]

    def draw_dispersed(generator: np.random.Generator, n: int) -> Array:
        # Small scales: where they are large, the likelihood is steep. log λ has a long tail to the left.
        z = 1.0 * generator.standard_normal((n, k))
        return np.column_stack(
            [z, -1.4 + 2.75 * generator.standard_normal((n, k)), -1.5 + 0.6 * generator.standard_normal(n)]
        ).clip(-12.0, 1.2)

    index = range(k)
    return Target(
        dim=2 * k + 1,
        density=log_density,
        data=rows,
        draw_dispersed=draw_dispersed,
        one_point=np.concatenate([np.full(k, 0.1), np.full(k, -0.5), [-1.0]]),
        constrained=Constrained((*(f"β{i}" for i in index), "τ"), constrained),
        tags=("hierarchical", "curved", "high-dimensional", "generated data"),
        formula="β = τ λ ∘ z, z ~ N(0, I), λᵢ, τ ~ Gamma(½, ½), label ~ Bernoulli(1/(1 + e^−x·β)); coordinates z, log λ, log τ",
        description="Products of three parameters make ridges and funnels that logistic regression alone has not.",
        source="form: Sountsov, Radul and contributors 2020, Inference Gym; data generated",
        coordinate_names=(*(f"z{i}" for i in index), *(f"log λ{i}" for i in index), "log τ"),
    )
