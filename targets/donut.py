"""Donut: a narrow ring around an empty centre, with no mode but a whole circle of them."""

import numpy as np
from scipy import integrate, optimize

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth, point_density


@point_density
def log_density(x, gradient, data):
    """−(‖x‖ − r)²/2σ²; `data` holds r, σ. At the origin, where it has a kink, the gradient is given as zero."""
    radius, width = data[0], data[1]
    norm = np.hypot(x[0], x[1])
    distance = norm - radius
    slope = -distance / (width**2 * norm) if norm > 0.0 else 0.0
    gradient[0] = slope * x[0]
    gradient[1] = slope * x[1]
    return -0.5 * (distance / width) ** 2


def build(radius: float = 2.6, width: float = 0.18) -> Target:
    """log p = −(‖x‖ − r)²/2σ² in the plane.

    Args:
        radius: r.
        width: σ, smaller than r.
    """
    if not 0 < width < radius:
        raise ValueError(f"width = {width} must be greater than 0 and smaller than radius = {radius}")

    def exact(generator: np.random.Generator, n: int) -> Array:
        """The norm ρ has density ∝ ρ e^{−(ρ − r)²/2σ²}. Since ρ ≤ r e^{ρ/r − 1}, a Gaussian with mean r + σ²/r lies
        above it: rejection.
        """
        norm = np.empty(0)
        while len(norm) < n:
            proposal = radius + width**2 / radius + width * generator.standard_normal(n + 16)
            ratio = proposal / radius
            norm = np.append(norm, proposal[generator.random(n + 16) < ratio * np.exp(1.0 - ratio)])
        angle = generator.uniform(0.0, 2.0 * np.pi, n)
        return norm[:n, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    low, high = max(0.0, radius - 12.0 * width), radius + 12.0 * width
    nodes, weights = np.polynomial.legendre.leggauss(400)
    norm = 0.5 * (high - low) * nodes + 0.5 * (high + low)
    probability = weights * norm * np.exp(-0.5 * ((norm - radius) / width) ** 2)
    probability /= probability.sum()

    def upper_tail(t: float) -> float:
        """P(x₀ > t) for t ≥ 0: a point at distance ρ > t is there if its angle is within arccos(t/ρ)."""
        start = max(t, low)
        # ρ = start + u² takes away the square root at ρ = t.
        u = 0.5 * np.sqrt(max(high - start, 0.0)) * (nodes + 1.0)
        rho = start + u**2
        density = rho * np.exp(-0.5 * ((rho - radius) / width) ** 2) * np.arccos(np.minimum(t / rho, 1.0)) / np.pi
        return float(0.5 * np.sqrt(max(high - start, 0.0)) * (weights * 2.0 * u) @ density) / constant

    constant = integrate.quad(
        lambda rho: rho * np.exp(-0.5 * ((rho - radius) / width) ** 2), low, high, points=[radius], epsabs=0, limit=200
    )[0]
    positive = {level: optimize.brentq(lambda t, p=1 - level: upper_tail(t) - p, 0.0, high) for level in (0.75, 0.95)}
    quantiles = [
        0.0 if level == 0.5 else positive[level] if level > 0.5 else -positive[round(1 - level, 10)]
        for level in QUANTILE_LEVELS
    ]
    second, fourth = probability @ norm**2, probability @ norm**4
    return Target(
        dim=2,
        density=log_density,
        data=np.array([radius, width]),
        draw_exact=exact,
        draw_dispersed=lambda generator, n: generator.uniform(-2.0 * radius, 2.0 * radius, (n, 2)),
        one_point=np.array([1.2 * radius, 0.0]),
        truth=Truth(
            origin="quadrature",
            mean=np.zeros(2),
            second_moment=np.full(2, second / 2.0),  # E cos² = 1/2
            variance_of_square=np.full(2, 3.0 / 8.0 * fourth - (second / 2.0) ** 2),  # E cos⁴ = 3/8
            mean_log_density=float(-0.5 * probability @ ((norm - radius) / width) ** 2),
            quantiles=np.tile(quantiles, (2, 1)),
            note="radial moments by Gauss–Legendre quadrature, angles in closed form",
        ),
        tags=("curved",),
        formula="log p = −(‖x‖ − r)²/2σ²",
        description="A thin curved shell: what a high-dimensional typical set looks like, in two dimensions.",
        source="Feng, MCMC demo gallery, github.com/chi-feng/mcmc-demo",
    )
