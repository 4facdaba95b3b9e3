"""The potential of Müller and Brown: three valleys joined by a winding path that follows no coordinate.

At the default temperature of 20 the deepest valley lies 5.3 units of temperature below the pass that leads out of it, and
the two others are separated by half a unit only.
"""

import functools

import numpy as np
from scipy import optimize

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Modes, Target, point_density

from ._cells import Grid

#: Rows: A, a, b, c, x₀, y₀ of the four terms A exp(a (x − x₀)² + b (x − x₀)(y − y₀) + c (y − y₀)²).
TERMS = np.array(
    [
        [-200.0, -100.0, -170.0, 15.0],
        [-1.0, -1.0, -6.5, 0.7],
        [0.0, 0.0, 11.0, 0.6],
        [-10.0, -10.0, -6.5, 0.7],
        [1.0, 0.0, -0.5, -1.0],
        [0.0, 0.5, 1.5, 1.0],
    ]
).T
#: Where Newton's method begins: the three valleys, and the two passes between neighbours.
VALLEYS = ((-0.558, 1.442), (-0.050, 0.467), (0.623, 0.028))
PASSES = ((-0.822, 0.624), (0.212, 0.293))
POINTS = 801


@point_density
def log_density(x, gradient, data):
    """−V(x)/T; `data` holds T and the four terms. Far away, where V is beyond the largest number, −∞."""
    temperature = data[0]
    terms = data[1:].reshape(4, 6)
    total, slope_x, slope_y = 0.0, 0.0, 0.0
    for k in range(4):
        along, across = x[0] - terms[k, 4], x[1] - terms[k, 5]
        value = terms[k, 0] * np.exp(terms[k, 1] * along**2 + terms[k, 2] * along * across + terms[k, 3] * across**2)
        total += value
        slope_x += value * (2.0 * terms[k, 1] * along + terms[k, 2] * across)
        slope_y += value * (terms[k, 2] * along + 2.0 * terms[k, 3] * across)
    if total > 1e290:
        gradient[0], gradient[1] = 0.0, 0.0
        return -np.inf
    gradient[0], gradient[1] = -slope_x / temperature, -slope_y / temperature
    return -total / temperature


def potential(x: Array) -> Array:
    """V at points (…, 2)."""
    along, across = x[..., :1] - TERMS[:, 4], x[..., 1:] - TERMS[:, 5]
    exponent = TERMS[:, 1] * along**2 + TERMS[:, 2] * along * across + TERMS[:, 3] * across**2
    return (TERMS[:, 0] * np.exp(np.minimum(exponent, 700.0))).sum(axis=-1)


def derivatives(x: Array) -> tuple[Array, Array]:
    """Gradient (2,) and Hessian (2, 2) of V at a point (2,)."""
    gradient, hessian = np.zeros(2), np.zeros((2, 2))
    for height, a, b, c, *centre in TERMS:
        form = np.array([[2.0 * a, b], [b, 2.0 * c]])
        away = x - centre
        value, slope = height * np.exp(0.5 * away @ form @ away), form @ away
        gradient += value * slope
        hessian += value * (form + np.outer(slope, slope))
    return gradient, hessian


@functools.cache
def stationary_points() -> tuple[Array, Array, Array]:
    """The valleys (3, 2), the passes (2, 2), and at each pass the direction of descent into the later valley (2, 2)."""

    def refined(start: tuple[float, float]) -> Array:
        return optimize.root(lambda x: derivatives(x)[0], np.array(start), jac=lambda x: derivatives(x)[1], tol=1e-14).x

    valleys, passes = (np.array([refined(start) for start in starts]) for starts in (VALLEYS, PASSES))
    directions = []
    for number, place in enumerate(passes):
        direction = np.linalg.eigh(derivatives(place)[1])[1][:, 0]  # along which V falls to both sides
        directions.append(direction * np.sign(direction @ (valleys[number + 1] - place)))
    return valleys, passes, np.array(directions)


def build(temperature: float = 20.0) -> Target:
    """p(x) ∝ exp(−V(x)/T).

    Args:
        temperature: T, in the units of V; from 5 to 40. The pass out of the deepest valley is 106 of them high.
    """
    if not 5 <= temperature <= 40:
        raise ValueError(f"temperature = {temperature} must lie between 5 and 40")
    valleys, passes, directions = stationary_points()
    axes = (np.linspace(-4.5, 3.5, POINTS), np.linspace(-3.5, 5.0, POINTS))

    def at(x: Array) -> Array:
        return -potential(x) / temperature

    grid = Grid(axes, at(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)), at)

    def assign(x: Array) -> np.ndarray:
        # A straight line across each pass divides the valleys.
        beyond = ((x[:, None, :] - passes) * directions).sum(axis=2) > 0
        inside = np.all([(axis[0] <= x[:, i]) & (x[:, i] <= axis[-1]) for i, axis in enumerate(axes)], axis=0)
        return np.where(inside, np.where(beyond[:, 0], np.where(beyond[:, 1], 2, 1), 0), -1)

    corners = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    return Target(
        dim=2,
        density=log_density,
        data=np.concatenate([[temperature], TERMS.ravel()]),
        draw_exact=grid.draw,
        draw_dispersed=lambda generator, n: generator.uniform([-1.7, -0.4], [1.2, 2.2], (n, 2)),
        one_point=np.array([-0.8, 0.6]),
        truth=grid.truth("two-dimensional quadrature, exact to rounding"),
        modes=Modes(
            locations=valleys,
            weights=np.bincount(assign(corners), grid.probability.ravel(), minlength=3),
            assignment=assign,
        ),
        tags=("multimodal", "curved"),
        formula="p(x) ∝ exp(−V(x)/T), V the sum of four exponentials of Müller and Brown, T = 20",
        description="The chemists' test of rare events: the way from valley to valley bends, and one valley has four fifths.",
        source="Müller and Brown 1979, doi 10.1007/BF00547608",
    )
