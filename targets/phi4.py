"""The φ⁴ field on a periodic square lattice, near its critical point: correlations as long as the lattice itself."""

import numpy as np

from mcmc_bench.core.target import Target, block_density


@block_density
def log_density(x, log_density, gradient, data):
    """2κ Σ φ_s φ_t over neighbours − Σ (1 − 2λ) φ_s² + λ φ_s⁴; `data` holds κ and λ. Sites are numbered row by row."""
    chains, sites = x.shape
    kappa, coupling = data[0], data[1]
    side = int(np.rint(np.sqrt(sites)))
    for chain in range(chains):
        phi, slope = x[chain], gradient[chain]
        total = 0.0
        for row in range(side):
            here, above, below = row * side, ((row + side - 1) % side) * side, ((row + 1) % side) * side
            for column in range(1, side - 1):  # free of wrapped neighbours, so that it runs in SIMD registers
                value = phi[here + column]
                square = value * value
                right_and_down = phi[here + column + 1] + phi[below + column]
                neighbours = right_and_down + phi[here + column - 1] + phi[above + column]
                total += value * (2.0 * kappa * right_and_down) - square * (1.0 - 2.0 * coupling + coupling * square)
                slope[here + column] = 2.0 * kappa * neighbours - value * (
                    2.0 * (1.0 - 2.0 * coupling) + 4.0 * coupling * square
                )
            for column in (0, side - 1):
                value = phi[here + column]
                square = value * value
                right_and_down = phi[here + (column + 1) % side] + phi[below + column]
                neighbours = right_and_down + phi[here + (column + side - 1) % side] + phi[above + column]
                total += value * (2.0 * kappa * right_and_down) - square * (1.0 - 2.0 * coupling + coupling * square)
                slope[here + column] = 2.0 * kappa * neighbours - value * (
                    2.0 * (1.0 - 2.0 * coupling) + 4.0 * coupling * square
                )
        log_density[chain] = total


def build(side: int = 16, kappa: float = 0.26, coupling: float = 0.022) -> Target:
    """p(φ) ∝ exp(2κ Σ φ_s φ_t − Σ (1 − 2λ) φ_s² + λ φ_s⁴), each pair of neighbours s, t once.

    At λ = 0.022 the infinite lattice orders near κ = 0.27: above, the field has a sign that a chain hardly changes.

    Args:
        side: sites along each axis, at least 3; the dimension is its square.
        kappa: κ, the coupling of neighbours.
        coupling: λ, the strength of the quartic term, greater than 0.
    """
    if side < 3:
        raise ValueError(f"side = {side} must be at least 3")
    if not (0 < coupling < np.inf and np.isfinite(kappa)):
        raise ValueError(f"coupling = {coupling} must be greater than 0, and it and kappa = {kappa} finite")
    sites = side**2

    def draw_dispersed(generator: np.random.Generator, n: int) -> np.ndarray:
        # A common level for every field besides what differs from site to site: long waves are the slow ones.
        return 2.5 * generator.standard_normal((n, 1)) + 1.0 * generator.standard_normal((n, sites))

    return Target(
        dim=sites,
        density=log_density,
        data=np.array([kappa, coupling]),
        draw_dispersed=draw_dispersed,
        one_point=np.full(sites, 1.0),
        tags=("high-dimensional",) if sites >= 100 else ("curved",),
        formula="p(φ) ∝ exp(2κ Σ φ_s φ_t − Σ (1 − 2λ) φ_s² + λ φ_s⁴) on a periodic 16 × 16 lattice, κ = 0.26, λ = 0.022",
        description="Physics near a phase transition: the slowest direction is the mean of all coordinates, and E φ = 0.",
        source="Albergo, Kanwar and Shanahan 2019, arXiv 1904.12072; couplings as in Nicoli et al. 2021, arXiv 2007.07115",
    )
