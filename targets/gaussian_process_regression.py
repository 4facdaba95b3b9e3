"""Gaussian-process regression: the posterior of a kernel's length scale and amplitude and of the noise.

The model is that of posteriordb's gp_regr, eleven points and ρ ~ Gamma(25, 4), but with log-normal priors of α and σ: under
its half-normal ones log α and log σ have tails e^u to the left, which no grid holds. The observations below were generated
once from ρ = 5.5, α = 2, σ = 0.5 with a fixed seed and rounded.
"""

import functools

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Constrained, Target, point_density
from mcmc_bench.kernels.jit import is_finite

from ._cells import Grid
from ._finite import finite_or_nothing

PLACES = np.linspace(-10.0, 10.0, 11)
OBSERVED = np.array([0.712, 1.429, 1.703, 0.454, 1.026, 0.941, 0.315, 0.793, 0.955, 1.165, 1.120])
#: Mean and standard deviation of log α and of log σ.
AMPLITUDE, NOISE = (0.5, 0.7), (-0.5, 0.7)
#: Added to σ², so that the covariance can be factorised for any parameters.
JITTER = 1e-8
#: Grids of log ρ, log α, log σ outside which there is no mass to rounding.
RANGES = ((0.0, 3.2), (-4.2, 4.2), (-4.8, 3.2))
POINTS = (81, 121, 121)


@point_density
def log_density(x, gradient, data):
    """log N(y; 0, α² exp(−(s − t)²/2ρ²) + σ² I) + priors + Jacobian at (log ρ, log α, log σ); `data` holds the
    jitter, the places and y. −∞ where the covariance cannot be factorised in floating point.
    """
    count = (data.shape[0] - 1) // 2
    places, y = data[1 : 1 + count], data[1 + count :]
    inverse_square, variance = np.exp(-2.0 * x[0]), np.exp(2.0 * x[1])
    noise = np.exp(2.0 * x[2])
    root = np.empty((count, count))  # of the covariance, lower
    slope = np.empty((count, count))  # its derivative by log ρ
    inverse = np.zeros((count, count))  # of the root
    residual = np.empty(count)
    for i in range(3):
        gradient[i] = 0.0
    total = 0.0
    for i in range(count):
        for j in range(i + 1):
            square = (places[i] - places[j]) ** 2
            q = square * inverse_square if i != j else 0.0
            value = variance * np.exp(-0.5 * q)
            root[i, j] = value + (noise + data[0] if i == j else 0.0)
            slope[i, j] = value * q if q < 1000.0 else 0.0
    for i in range(count):
        for j in range(i + 1):
            value = root[i, j]
            for k in range(j):
                value -= root[i, k] * root[j, k]
            if i == j:
                if not (value > 0.0 and is_finite(value)):
                    return finite_or_nothing(-np.inf, x, gradient)
                root[i, i] = np.sqrt(value)
            else:
                root[i, j] = value / root[j, j]
    for i in range(count):
        value = y[i]
        for k in range(i):
            value -= root[i, k] * residual[k]
        residual[i] = value / root[i, i]
        total -= 0.5 * residual[i] ** 2 + np.log(root[i, i])
        inverse[i, i] = 1.0 / root[i, i]
        for j in range(i):
            value = 0.0
            for k in range(j, i):
                value -= root[i, k] * inverse[k, j]
            inverse[i, j] = value / root[i, i]
    weight = np.zeros(count)  # K⁻¹ y
    for i in range(count):
        for j in range(i + 1):
            weight[j] += inverse[i, j] * residual[i]
    for i in range(count):
        for j in range(i + 1):
            precision = 0.0
            for k in range(i, count):
                precision += inverse[k, i] * inverse[k, j]
            sensitivity = (0.5 if i == j else 1.0) * (weight[i] * weight[j] - precision)
            gradient[0] += sensitivity * slope[i, j]
            kernel = variance * np.exp(-0.5 * (places[i] - places[j]) ** 2 * inverse_square) if i != j else variance
            gradient[1] += 2.0 * sensitivity * kernel
            if i == j:
                gradient[2] += 2.0 * sensitivity * noise
    rho = np.exp(x[0])
    amplitude, level = (x[1] - AMPLITUDE[0]) / AMPLITUDE[1], (x[2] - NOISE[0]) / NOISE[1]
    total += 25.0 * x[0] - 4.0 * rho - 0.5 * amplitude**2 - 0.5 * level**2
    gradient[0] += 25.0 - 4.0 * rho
    gradient[1] -= amplitude / AMPLITUDE[1]
    gradient[2] -= level / NOISE[1]
    return finite_or_nothing(total, x, gradient)


def log_density_again(x: Array) -> Array:
    """The same log density at points (…, 3), without gradient: one eigendecomposition for each length scale."""
    rho, inverse = np.unique(x[..., 0], return_inverse=True)
    covariance = np.exp(-0.5 * ((PLACES[:, None] - PLACES) / np.exp(rho)[:, None, None]) ** 2)
    values, vectors = np.linalg.eigh(covariance)
    projected = (vectors.transpose(0, 2, 1) @ OBSERVED) ** 2
    variance, noise = np.exp(2.0 * x[..., 1]), np.exp(2.0 * x[..., 2])
    total = np.zeros(x.shape[:-1])
    index = inverse.reshape(x.shape[:-1])
    for k in range(len(PLACES)):
        eigenvalue = variance * np.maximum(values[:, k], 0.0)[index] + noise + JITTER
        total -= 0.5 * (np.log(eigenvalue) + projected[:, k][index] / eigenvalue)
    prior = 25.0 * x[..., 0] - 4.0 * np.exp(x[..., 0])
    for i, (centre, width) in ((1, AMPLITUDE), (2, NOISE)):
        prior = prior - 0.5 * ((x[..., i] - centre) / width) ** 2
    return total + prior


@functools.cache
def grid() -> Grid:
    """The density on its grid."""
    axes = tuple(np.linspace(*ends, count) for ends, count in zip(RANGES, POINTS, strict=True))
    return Grid(axes, log_density_again(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)), log_density_again)


def build() -> Target:
    """The posterior of (log ρ, log α, log σ)."""
    note = "three-dimensional quadrature"
    return Target(
        dim=3,
        density=log_density,
        data=np.concatenate([[JITTER], PLACES, OBSERVED]),
        draw_exact=grid().draw,
        draw_dispersed=lambda generator, n: generator.uniform([1.0, -1.0, -2.5], [2.4, 2.0, 1.0], (n, 3)),
        one_point=np.array([1.5, 0.0, 0.0]),
        truth=grid().truth(note),
        constrained=Constrained(("ρ", "α", "σ"), np.exp, grid().constrained_truth(np.exp, note)),
        tags=("hierarchical", "generated data"),
        formula="y ~ N(0, α² exp(−(s − t)²/2ρ²) + σ² I), ρ ~ Gamma(25, 4), log α ~ N(½, 0.7), log σ ~ N(−½, 0.7)",
        description="Three parameters that trade off against each other, and a density that costs a matrix factorisation.",
        source="Rasmussen and Williams 2006, isbn 026218253X; model: after posteriordb, gp_regr",
        coordinate_names=("log ρ", "log α", "log σ"),
    )
