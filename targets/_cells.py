"""Densities in two or three dimensions by quadrature on a grid, and exact draws from them by rejection.

Must not know any target.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import interpolate

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Truth

from ._quadrature import quantiles

#: How far log p inside a cell may lie above its largest corner. Far more than the curvature allows; tested.
MARGIN = 0.1


@dataclass(frozen=True, eq=False)
class Grid:
    """A density on a rectangular grid outside which it has no mass to rounding.

    The trapezoidal rule converges exponentially for smooth functions that vanish at the edges, so that sums over the
    grid points are integrals to rounding once the grid is fine enough; tests halve it.
    """

    axes: tuple[Array, ...]
    log_density: Array  # on the grid, any constant
    #: Log density of points (n, dim), with the same constant as `log_density`.
    at: Callable[[Array], Array]

    @cached_property
    def probability(self) -> Array:
        """Probability of each grid point; sums to one."""
        weight = np.exp(self.log_density - self.log_density.max())
        return weight / weight.sum()

    def marginal(self, coordinate: int) -> Array:
        """Probability of each point of one axis."""
        others = tuple(i for i in range(len(self.axes)) if i != coordinate)
        return self.probability.sum(axis=others)

    def moments(self, function: Callable[[Array], Array] = lambda x: x) -> tuple[Array, Array, Array]:
        """E f, E f², Var f² of a function of each coordinate, each (dim,)."""
        powers = np.array(
            [[self.marginal(i) @ function(axis) ** power for i, axis in enumerate(self.axes)] for power in (1, 2, 4)]
        )
        return powers[0], powers[1], powers[2] - powers[1] ** 2

    def quantiles(self) -> Array:
        """(dim, level), from a spline through the marginal distribution functions."""
        found = []
        for i, axis in enumerate(self.axes):
            density = self.marginal(i) / (axis[1] - axis[0])
            cumulative = interpolate.CubicSpline(axis, density).antiderivative()
            low, total = cumulative(axis[0]), cumulative(axis[-1]) - cumulative(axis[0])
            found.append(quantiles(lambda t, c=cumulative, a=low, b=total: float((c(t) - a) / b), axis[0], axis[-1]))
        return np.array(found)

    def truth(self, note: str) -> Truth:
        """The truth of the coordinates, and of log p with the constant of `log_density`."""
        mean, second, variance_of_square = self.moments()
        return Truth(
            origin="quadrature",
            mean=mean,
            second_moment=second,
            variance_of_square=variance_of_square,
            mean_log_density=float((self.probability * np.where(self.probability > 0, self.log_density, 0.0)).sum()),
            quantiles=self.quantiles(),
            note=note,
        )

    def constrained_truth(self, function: Callable[[Array], Array], note: str) -> Truth:
        """The truth of an increasing function of every coordinate, such as exp."""
        mean, second, variance_of_square = self.moments(function)
        return Truth(
            origin="quadrature",
            mean=mean,
            second_moment=second,
            variance_of_square=variance_of_square,
            mean_log_density=float("nan"),
            quantiles=function(self.quantiles()),
            note=note,
        )

    @cached_property
    def _envelope(self) -> tuple[Array, Array]:
        """Of each cell, flat: the log of a bound of the density, and the cumulative probability of the bounds."""
        corners = self.log_density
        for axis in range(corners.ndim):
            lower = np.take(corners, range(corners.shape[axis] - 1), axis=axis)
            upper = np.take(corners, range(1, corners.shape[axis]), axis=axis)
            corners = np.maximum(lower, upper)
        bound = corners.ravel() + MARGIN
        cumulative = np.cumsum(np.exp(bound - bound.max()))
        return bound, cumulative / cumulative[-1]

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        """Exact draws (n, dim): a cell in proportion to a bound of its density, a point in it, accepted or not."""
        bound, cumulative = self._envelope
        shape = tuple(len(axis) - 1 for axis in self.axes)
        steps = np.array([axis[1] - axis[0] for axis in self.axes])
        corner = np.array([axis[0] for axis in self.axes])
        drawn = np.empty((0, len(self.axes)))
        while len(drawn) < n:
            size = int(1.5 * (n - len(drawn))) + 64
            cell = np.searchsorted(cumulative, generator.random(size), side="right")
            index = np.stack(np.unravel_index(cell, shape), axis=1)
            x = corner + steps * (index + generator.random((size, len(steps))))
            accepted = np.log(generator.random(size)) < self.at(x) - bound[cell]
            drawn = np.concatenate([drawn, x[accepted]])
        return drawn[:n]
