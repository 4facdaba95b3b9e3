"""Eight schools: the posterior that both parametrisations share, with its truth by quadrature over one number.

Of the three posteriors that are called by this name this is the one of posteriordb: y and σ of Rubin, μ ~ N(0, 5),
τ ~ half-Cauchy(0, 5), θⱼ ~ N(μ, τ), yⱼ ~ N(θⱼ, σⱼ). (The first had a flat prior on τ; another has one on log τ.)

Given τ everything else is Gaussian in closed form, and the density of log τ is one-dimensional: all moments and quantiles
are integrals over log τ, and exact draws take τ first. τ has a tail of τ⁻¹⁰ (half-Cauchy times eight normals), so that
E τᵏ is finite for k < 9.
"""

import functools
from typing import Any

import numpy as np
from scipy import special

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import QUANTILE_LEVELS, Constrained, Target, Truth
from mcmc_bench.kernels.jit import jit

from ._quadrature import quantiles

Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SCHOOLS = len(Y)
PRIOR_SCALE = 5.0  # of μ and of τ
NAMES = (*(f"θ{'₁₂₃₄₅₆₇₈'[j]}" for j in range(SCHOOLS)), "μ", "τ")
NOTE = "quadrature over log τ, given which all else is Gaussian"
DATA = np.concatenate([Y, SIGMA])


@jit
def half_cauchy(u):
    """log(1 + τ²/25) and the share τ²/(25 + τ²) for τ = e^u, safe for any u."""
    shifted = 2.0 * (u - np.log(PRIOR_SCALE))
    small = np.exp(-abs(shifted))
    return max(shifted, 0.0) + np.log1p(small), (1.0 if shifted > 0.0 else small) / (1.0 + small)


class Posterior:
    """Tables over a fine grid of u = log τ; arrays are (u,) or (u, school)."""

    def __init__(self) -> None:
        # Below, the density falls as e^u; above, as e^−9u, and that of τ⁴ as e^−5u: nothing is cut off.
        self.u = np.linspace(-40.0, 16.0, 28_001)
        tau = np.exp(self.u)
        spread = SIGMA**2 + tau[:, None] ** 2
        self.precision = PRIOR_SCALE**-2 + (1.0 / spread).sum(axis=1)  # of μ given τ
        self.centre = (Y / spread).sum(axis=1) / self.precision
        # p(y | τ), μ integrated out, and the prior of log τ.
        likelihood = -0.5 * (np.log(spread) + Y**2 / spread).sum(axis=1)
        likelihood += 0.5 * self.precision * self.centre**2 - 0.5 * np.log(self.precision)
        log_density = likelihood + self.u - np.log1p((tau / PRIOR_SCALE) ** 2)
        self.weight = np.exp(log_density - log_density.max())
        self.weight /= self.weight.sum()
        self.cumulative = np.cumsum(self.weight) - 0.5 * self.weight
        self.tau = tau
        pull = tau[:, None] / spread  # z = (θ − μ)/τ given μ: mean pull · (y − μ), variance σ²/(σ² + τ²)
        self.z_mean = pull * (Y - self.centre[:, None])
        self.z_variance = pull**2 / self.precision[:, None] + SIGMA**2 / spread
        shrink = SIGMA**2 / spread  # θ given μ: mean shrink · μ + (1 − shrink) y
        self.theta_mean = shrink * self.centre[:, None] + (1.0 - shrink) * Y
        self.theta_variance = shrink**2 / self.precision[:, None] + shrink * tau[:, None] ** 2

    def draw(self, generator: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
        """Exact draws: z (n, 8), μ (n,), u (n,)."""
        u = np.interp(generator.random(n), self.cumulative, self.u)
        tau = np.exp(u)[:, None]
        spread = SIGMA**2 + tau**2
        precision = PRIOR_SCALE**-2 + (1.0 / spread).sum(axis=1)
        mu = (Y / spread).sum(axis=1) / precision + generator.standard_normal(n) / np.sqrt(precision)
        z = tau / spread * (Y - mu[:, None]) + np.sqrt(SIGMA**2 / spread) * generator.standard_normal((n, SCHOOLS))
        return z, mu, u

    def normal_columns(self, means: Array, variances: Array) -> tuple[Array, Array, Array, Array]:
        """E x, E x², Var x² (k,) and quantiles (k, level) of columns that are normal given u: (u, k) each."""
        second = self.weight @ (means**2 + variances)
        fourth = self.weight @ (means**4 + 6.0 * means**2 * variances + 3.0 * variances**2)
        deviations = np.sqrt(variances)
        # Of u only what has mass is worth a distribution function at each step of the search; the rule is exact to
        # rounding at an eighth of the points too, which the exact draws are interpolated between.
        kept = np.flatnonzero(self.weight > 1e-18)[::8]
        weight = self.weight[kept] / self.weight[kept].sum()
        found = []
        for mean, deviation in zip(means[kept].T, deviations[kept].T, strict=True):
            low, high = (mean - 12.0 * deviation).min(), (mean + 12.0 * deviation).max()
            found.append(
                quantiles(lambda t, m=mean, s=deviation: float((weight * special.ndtr((t - m) / s)).sum()), low, high)
            )
        return self.weight @ means, second, fourth - second**2, np.array(found)

    def columns_of_u(self, function: np.ufunc | None = None) -> tuple[Array, Array, Array, Array]:
        """The same for u itself, or for an increasing function of it."""
        values = self.u if function is None else function(self.u)
        second = self.weight @ values**2
        levels = np.interp(QUANTILE_LEVELS, self.cumulative, self.u)
        levels = levels if function is None else function(levels)
        return (
            np.array([self.weight @ values]),
            np.array([second]),
            np.array([self.weight @ values**4 - second**2]),
            levels[None, :],
        )

    def mean_log_density(self, centred: bool) -> float:
        """E of the log density that both files compute, with its constant."""
        residual = ((self.theta_mean - Y) ** 2 + self.theta_variance) / SIGMA**2
        z_square = self.z_mean**2 + self.z_variance
        mu_square = (self.centre**2 + 1.0 / self.precision) / PRIOR_SCALE**2
        inside = -0.5 * (residual.sum(axis=1) + z_square.sum(axis=1) + mu_square)
        inside += self.u - np.log1p((self.tau / PRIOR_SCALE) ** 2) - (SCHOOLS * self.u if centred else 0.0)
        return float(self.weight @ inside)


def _joined(*parts: tuple[Array, Array, Array, Array], mean_log_density: float) -> Truth:
    mean, second, variance_of_square, levels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Truth(
        origin="quadrature",
        mean=mean,
        second_moment=second,
        variance_of_square=variance_of_square,
        mean_log_density=mean_log_density,
        quantiles=levels,
        note=NOTE,
    )


@functools.cache
def tables() -> Posterior:
    """The posterior's tables, made once."""
    return Posterior()


@functools.cache
def truth(centred: bool) -> Truth:
    """The truth of (θ, μ, log τ) if centred, else of (z, μ, log τ)."""
    posterior = tables()
    first = (
        posterior.normal_columns(posterior.theta_mean, posterior.theta_variance)
        if centred
        else posterior.normal_columns(posterior.z_mean, posterior.z_variance)
    )
    return _joined(first, _mu(), posterior.columns_of_u(), mean_log_density=posterior.mean_log_density(centred))


@functools.cache
def constrained_truth() -> Truth:
    """The truth of (θ, μ, τ)."""
    posterior = tables()
    return _joined(
        posterior.normal_columns(posterior.theta_mean, posterior.theta_variance),
        _mu(),
        posterior.columns_of_u(np.exp),
        mean_log_density=float("nan"),
    )


def _mu() -> tuple[Array, Array, Array, Array]:
    posterior = tables()
    return posterior.normal_columns(posterior.centre[:, None], 1.0 / posterior.precision[:, None])


def target(density: Any, *, centred: bool, formula: str, description: str) -> Target:
    """The posterior in coordinates (θ, μ, log τ) if centred, else (z, μ, log τ) with θ = μ + τ z.

    Args:
        density: log p in those coordinates; its data are y and σ.
        centred: which coordinates.
        formula: one line of plain text.
        description: one sentence.
    """

    def columns(z: Array, mu: Array, u: Array) -> Array:
        effects = mu[:, None] + np.exp(u)[:, None] * z if centred else z
        return np.column_stack([effects, mu, u])

    def draw_dispersed(generator: np.random.Generator, n: int) -> Array:
        z = 1.5 * generator.standard_normal((n, SCHOOLS))
        return columns(z, 4.0 + 6.0 * generator.standard_normal(n), 1.0 + 1.5 * generator.standard_normal(n))

    def constrained(x: Array) -> Array:
        tau = np.exp(x[:, 9:])
        return np.column_stack([x[:, :8] if centred else x[:, 8:9] + tau * x[:, :8], x[:, 8], tau])

    names = NAMES[:SCHOOLS] if centred else tuple(f"z{j + 1}" for j in range(SCHOOLS))
    return Target(
        dim=SCHOOLS + 2,
        density=density,
        data=DATA,
        draw_exact=lambda generator, n: columns(*tables().draw(generator, n)),
        draw_dispersed=draw_dispersed,
        one_point=columns(np.zeros((1, SCHOOLS)), np.array([4.0]), np.array([1.0]))[0],
        truth=truth(centred),
        constrained=Constrained(NAMES, constrained, constrained_truth()),
        tags=("hierarchical", "real data"),
        formula=formula,
        description=description,
        source="Rubin 1981, doi 10.3102/10769986006004377; this version: posteriordb, eight_schools",
        coordinate_names=(*names, "μ", "log τ"),
    )
