"""Numbers of one-dimensional densities by quadrature, for the truths of several targets.

Must not know any target.
"""

from collections.abc import Callable

import numpy as np
from scipy import integrate, interpolate, optimize, stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import QUANTILE_LEVELS

# The trapezoidal rule converges exponentially for smooth functions that vanish at both ends: this grid is exact to
# rounding for a Gaussian weight, and the mass beyond it is 1e-23.
_NODES = np.linspace(-10.0, 10.0, 2001)
_WEIGHTS = stats.norm.pdf(_NODES) * (_NODES[1] - _NODES[0])


def normal_mean(function: Callable[[Array], Array]) -> float:
    """E f(z) for z ~ N(0, 1); `function` takes and returns arrays (n,)."""
    return float(_WEIGHTS @ function(_NODES))


def quantiles(distribution_function: Callable[[float], float], low: float, high: float) -> Array:
    """The quantiles at QUANTILE_LEVELS, given the distribution function and a bracket that holds them."""
    return np.array(
        [
            optimize.brentq(lambda t, level=level: distribution_function(t) - level, low, high, xtol=1e-13)
            for level in QUANTILE_LEVELS
        ]
    )


def tabulated(log_density: Callable[[Array], Array], low: float, high: float) -> tuple[Array, Array, float, Array]:
    """A density on an interval outside which it has no mass to rounding.

    Returns:
        The grid, the probability of each grid point (sums to one), the normalising constant of `log_density`, and the
        quantiles at QUANTILE_LEVELS.
    """
    grid = np.linspace(low, high, 20_001)
    density = np.exp(log_density(grid))
    constant = float(density.sum() * (grid[1] - grid[0]))
    cumulative = integrate.cumulative_simpson(density, x=grid, initial=0.0) / constant
    between = interpolate.CubicHermiteSpline(grid, cumulative, density / constant)
    return grid, density / density.sum(), constant, quantiles(lambda t: float(between(t)), low, high)
