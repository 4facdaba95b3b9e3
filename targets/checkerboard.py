"""Checkerboard: uniform on the dark squares of a 4 × 4 board, blurred by a Gaussian; its score in closed form at any noise.

What a score learned in the plane is drawn beside and measured against: see `checkerboard_learned`.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import special

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.examples import Examples
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target, Truth, point_density
from mcmc_bench.kernels.jit import jit

from ._quadrature import quantiles
from ._tweedie import denoiser

#: Squares along an edge of the board, each of side 1; the centre is the origin. Dark: row + column is even.
SQUARES = 4
EDGE = SQUARES / 2.0
DARK = SQUARES**2 // 2
#: Examples to learn from, and to compare with.
TRAINING, HELD_OUT = 8000, 1000


@jit
def scaled_erfc(t):
    """e^{t²} erfc(t) for t ≥ 0; by Laplace's continued fraction before erfc(t) falls below the smallest number."""
    if t < 8.0:
        return np.exp(t * t) * math.erfc(t)
    fraction = t
    for k in range(10, 0, -1):
        fraction = t + 0.5 * k / fraction
    return 1.0 / (1.7724538509055159 * fraction)  # √π


@jit
def strip(x, low, high, sigma):
    """log [Φ((h − x)/σ) − Φ((l − x)/σ)] and its slope in x, at any distance.

    Outside [l, h] the factor e^{−u²/2}, u the distance to the nearer end over σ, is taken out of the difference.
    """
    root_half = 0.7071067811865476
    density = 0.3989422804014327 / sigma  # of N(0, σ²) at 0
    if low <= x <= high:
        u, v = (x - low) / sigma, (high - x) / sigma
        mass = 0.5 * (math.erf(root_half * u) + math.erf(root_half * v))
        return np.log(mass), density * (np.exp(-0.5 * u * u) - np.exp(-0.5 * v * v)) / mass
    side = 1.0 if x < low else -1.0  # towards the strip
    u = (low - x if x < low else x - high) / sigma
    v = (high - x if x < low else x - low) / sigma
    further = -0.5 * (v - u) * (v + u)  # log of e^{−v²/2} over e^{−u²/2}
    mass = 0.5 * scaled_erfc(root_half * u)
    if further > -40.0:  # else below the last digit
        mass -= 0.5 * np.exp(further) * scaled_erfc(root_half * v)
    return np.log(mass) - 0.5 * u * u, -side * density * math.expm1(further) / mass


@jit
def sum_of(a, slope_a, b, slope_b):
    """log (eᵃ + eᵇ) and its slope, from the logs and their slopes."""
    larger = max(a, b)
    weight_a, weight_b = np.exp(a - larger), np.exp(b - larger)
    total = weight_a + weight_b
    return larger + np.log(total), (weight_a * slope_a + weight_b * slope_b) / total


@jit
def strips(x, first, sigma):
    """`strip` of every second strip of the board, from number `first` on, added up."""
    low = first - 2.0
    a, slope_a = strip(x, low, low + 1.0, sigma)
    b, slope_b = strip(x, low + 2.0, low + 3.0, sigma)
    return sum_of(a, slope_a, b, slope_b)


@point_density
def log_density(x, gradient, data):
    """log of ⅛ Σ over dark squares of the products of both coordinates' strips; `data` holds σ.

    The even strips of x are dark in the even ones of y and the odd in the odd, so that two products are all.
    """
    sigma = data[0]
    even_x, slope_even_x = strips(x[0], 0.0, sigma)
    odd_x, slope_odd_x = strips(x[0], 1.0, sigma)
    even_y, slope_even_y = strips(x[1], 0.0, sigma)
    odd_y, slope_odd_y = strips(x[1], 1.0, sigma)
    value, gradient[0] = sum_of(even_x + even_y, slope_even_x, odd_x + odd_y, slope_odd_x)
    value, gradient[1] = sum_of(even_x + even_y, slope_even_y, odd_x + odd_y, slope_odd_y)
    return value - 2.0794415416798357  # log 8


def draw(generator: np.random.Generator, n: int) -> tuple[Array, np.ndarray]:
    """Points (n, 2) without noise, and the number of the dark square that each is in (n,)."""
    square = generator.integers(DARK, size=n)
    row = square // 2
    column = 2 * (square % 2) + row % 2
    return np.column_stack([column, row]) - EDGE + generator.random((n, 2)), square


@cache
def examples() -> tuple[Array, np.ndarray]:
    """`TRAINING` + `HELD_OUT` points without noise, and their squares; the same ones always.

    Every point of the training has its mirror image in it, so that their mean is the board's centre: what is learned is in
    the same coordinates as the truth.
    """
    points, square = draw(stream("examples", "checkerboard"), TRAINING // 2 + HELD_OUT)
    first, others = points[: TRAINING // 2], points[TRAINING // 2 :]
    numbers = square[: TRAINING // 2]
    return np.concatenate([first, -first, others]), np.concatenate(
        [numbers, DARK - 1 - numbers, square[TRAINING // 2 :]]
    )


def examples_with(denoised: Callable[[Array], Array]) -> Examples:
    """The examples, whose classes are the dark squares; `denoised` takes the noise off a target's draws."""
    points, square = examples()
    return Examples(
        training=points[:TRAINING],
        held_out=points[TRAINING:],
        training_class=square[:TRAINING],
        held_out_class=square[TRAINING:],
        denoised=denoised,
    )


def checked(sigma: float, lowest: float = 0.01) -> float:
    """`sigma`, or an error that says what it may be."""
    if not lowest <= sigma < np.inf:
        raise ValueError(f"sigma = {sigma} must be finite and at least {lowest}")
    return sigma


def mean_log_density(sigma: float) -> float:
    """E log p by the trapezoidal rule, whose step of σ/3 is fine enough for every digit."""
    reach = EDGE + 9.0 * sigma
    x = np.linspace(-reach, reach, 2 * int(np.ceil(3.0 * reach / sigma)) + 1)
    ends = special.ndtr((x[:, None] - np.arange(SQUARES + 1) + EDGE) / sigma)
    mass = ends[:, :-1] - ends[:, 1:]  # (x, strip)
    even, odd = mass[:, ::2].sum(axis=1), mass[:, 1::2].sum(axis=1)
    density = (np.outer(even, even) + np.outer(odd, odd)) / DARK
    return float(special.xlogy(density, density).sum() * (x[1] - x[0]) ** 2)


def build(sigma: float = 0.1) -> Target:
    """The board blurred by N(0, σ² I).

    Args:
        sigma: σ, at least 0.01, in sides of a square.
    """
    checked(sigma)
    # A coordinate is uniform on the board's width, plus noise.
    second = EDGE**2 / 3.0 + sigma**2
    fourth = EDGE**4 / 5.0 + 2.0 * EDGE**2 * sigma**2 + 3.0 * sigma**4

    def below(t: float) -> float:
        def integral(u: float) -> float:  # of Φ
            return float(u * special.ndtr(u) + np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi))

        return sigma * (integral((t + EDGE) / sigma) - integral((t - EDGE) / sigma)) / SQUARES

    reach = EDGE + 9.0 * sigma
    # Little wider than the target: the steep slope around the board throws steps that suit its inside far away.
    wide = np.sqrt(1.2 * 3.0 * second)
    data = np.array([sigma])
    return Target(
        dim=2,
        density=log_density,
        data=data,
        smoothed=lambda further: np.array([np.hypot(sigma, further)]),
        draw_exact=lambda generator, n: draw(generator, n)[0] + sigma * generator.standard_normal((n, 2)),
        draw_dispersed=lambda generator, n: generator.uniform(-wide, wide, (n, 2)),
        one_point=np.array([0.5, 0.5]),  # the middle of a dark square
        truth=Truth(
            origin="quadrature",
            mean=np.zeros(2),
            second_moment=np.full(2, second),
            variance_of_square=np.full(2, fourth - second**2),
            mean_log_density=mean_log_density(sigma),
            quantiles=np.tile(quantiles(below, -reach, reach), (2, 1)),
            note="moments and quantiles in closed form, mean log density by the trapezoidal rule",
        ),
        examples=examples_with(denoiser(log_density, data, sigma)),
        tags=("multimodal",),
        formula="p(x) = ⅛ Σ over dark squares of Π [Φ((h − xᵢ)/σ) − Φ((l − xᵢ)/σ)]",
        description="Flat plateaus with sharp edges and corners that touch: the true field beside that of "
        "checkerboard_learned.",
        source="closed form; the board: Grathwohl et al. 2019, arXiv 1810.01367",
    )
