"""Gaussian mixtures with isotropic components: one compiled family for any number of modes, dimension and weights.

Other files of this folder build their mixtures with `mixture`; `build` gives regular layouts by name.
"""

import functools
from collections.abc import Iterator

import numpy as np
from scipy import special, stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.spelling import unknown
from mcmc_bench.core.target import Modes, Target, Truth, block_density
from mcmc_bench.kernels.mathematics import exp, log

from ._quadrature import quantiles

#: A point belongs to a component's mode only within the radius that holds all but this share of the component.
SHARE_OUTSIDE = 1e-4
#: Modes count as well separated if less than this share of the exact draws is given to another component's mode.
LARGEST_OVERLAP = 1e-3


@block_density
def log_density(x, log_density, gradient, data):
    """log Σₖ wₖ N(x; mₖ, sₖ² I) without the (2π)^{−dim/2}. `data` holds, component by component,
    log wₖ − dim log sₖ, 1/sₖ², mₖ (dim,).

    The chains are the inner loop, on transposed copies, so that it runs in SIMD registers; the largest exponent is
    taken out of the sum, so that no point is too far away. Coordinates go in pairs, an odd one with a zero: to begin a loop
    over 16 chains costs as much as to run it, and in the plane each pass over a component is then a single one.
    """
    chains, dim = x.shape
    components, rows = data.shape[0] // (dim + 2), (dim + 1) // 2 * 2
    last = rows - 2  # first coordinate of the last pair
    work = np.zeros((2 * rows + components + 2, chains))  # one: the time to make it is not nothing
    point, weighted = work[:rows], work[rows : 2 * rows]  # weighted: Σ share · precision · (mₖ − x)
    exponent, largest, total = work[2 * rows : -2], work[-2], work[-1]
    for chain in range(chains):
        largest[chain] = -np.inf
    for i in range(dim):
        for chain in range(chains):
            point[i, chain] = x[chain, i]
    for k in range(components):
        first, row = k * (dim + 2), exponent[k]
        constant, precision = data[first], data[first + 1]
        for i in range(0, last, 2):
            a, b, one, other = point[i], point[i + 1], data[first + 2 + i], data[first + 3 + i]
            for chain in range(chains):
                row[chain] += (a[chain] - one) ** 2 + (b[chain] - other) ** 2
        a, b, one, other = point[last], point[last + 1], data[first + 2 + last], 0.0
        if last + 1 < dim:
            other = data[first + 3 + last]
        for chain in range(chains):
            square = row[chain] + (a[chain] - one) ** 2 + (b[chain] - other) ** 2
            row[chain] = constant - 0.5 * precision * square
            largest[chain] = max(largest[chain], row[chain])
    for k in range(components):
        first, row = k * (dim + 2), exponent[k]
        precision = data[first + 1]
        a, b, to_a, to_b = point[last], point[last + 1], weighted[last], weighted[last + 1]
        one, other = data[first + 2 + last], 0.0
        if last + 1 < dim:
            other = data[first + 3 + last]
        for chain in range(chains):
            share = exp(row[chain] - largest[chain])
            total[chain] += share
            row[chain] = share * precision
            to_a[chain] += share * precision * (one - a[chain])
            to_b[chain] += share * precision * (other - b[chain])
        for i in range(0, last, 2):
            a, b, to_a, to_b = point[i], point[i + 1], weighted[i], weighted[i + 1]
            one, other = data[first + 2 + i], data[first + 3 + i]
            for chain in range(chains):
                to_a[chain] += row[chain] * (one - a[chain])
                to_b[chain] += row[chain] * (other - b[chain])
    for chain in range(chains):
        log_density[chain] = largest[chain] + log(total[chain])
    for i in range(dim):
        for chain in range(chains):
            gradient[chain, i] = weighted[i, chain] / total[chain]


class Components:
    """The components of a mixture, and what follows from them."""

    def __init__(self, locations: Array, weights: Array, scales: Array) -> None:
        self.locations = np.asarray(locations, dtype=float)  # (component, dim)
        self.weights = np.asarray(weights, dtype=float) / np.sum(weights)  # (component,)
        self.scales = np.broadcast_to(np.asarray(scales, dtype=float), self.weights.shape)  # (component,)
        self.dim = self.locations.shape[1]

    def data(self, sigma: float = 0.0) -> Array:
        """The data of the density; with `sigma`, that of the mixture ∗ N(0, σ² I), whose components are wider."""
        scales = np.hypot(self.scales, sigma)
        constant = np.log(self.weights) - self.dim * np.log(scales)
        return np.column_stack([constant, scales**-2.0, self.locations]).ravel()

    def exponents(self, squared_distances: Array) -> Array:
        """Log of each component's share of the density (up to the target's constant), from ‖x − mₖ‖² (…, component)."""
        return np.log(self.weights) - self.dim * np.log(self.scales) - 0.5 * squared_distances / self.scales**2

    def squared_distances(self, x: Array) -> Array:
        """‖x − mₖ‖² (n, component) for points (n, dim)."""
        return np.stack([((x - location) ** 2).sum(axis=1) for location in self.locations], axis=1)

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        """Exact draws (n, dim)."""
        component = generator.choice(len(self.weights), size=n, p=self.weights)
        z = generator.standard_normal((n, self.dim))
        return self.locations[component] + self.scales[component, None] * z

    def assign(self, x: Array) -> np.ndarray:
        """The component that is most responsible for each point, −1 outside the radius of `SHARE_OUTSIDE`.

        Not the nearest location: in high dimension a wide component's draws may lie nearer to a narrow one's centre.
        """
        squared = self.squared_distances(x)
        finite = np.isfinite(squared).all(axis=1)
        best = np.where(finite[:, None], self.exponents(squared), 0.0).argmax(axis=1)
        standardised = squared[np.arange(len(x)), best] / self.scales[best] ** 2
        return np.where(finite & (standardised <= stats.chi2.isf(SHARE_OUTSIDE, self.dim)), best, -1)

    def moments(self) -> tuple[Array, Array, Array]:
        """E x, E x², Var x², each (dim,)."""
        m, s = self.locations, self.scales[:, None]
        second = self.weights @ (m**2 + s**2)
        fourth = self.weights @ (m**4 + 6.0 * m**2 * s**2 + 3.0 * s**4)
        return self.weights @ m, second, fourth - second**2

    def quantiles(self) -> Array:
        """(dim, level) quantiles of the marginals, which are mixtures too. Equal marginals are solved once."""
        solved: dict[bytes, Array] = {}
        for centre in self.locations.T:
            if centre.tobytes() not in solved:
                low, high = (centre - 9.0 * self.scales).min(), (centre + 9.0 * self.scales).max()
                solved[centre.tobytes()] = quantiles(
                    lambda t, m=centre: float(self.weights @ special.ndtr((t - m) / self.scales)), low, high
                )
        return np.array([solved[centre.tobytes()] for centre in self.locations.T])

    @property
    def active(self) -> np.ndarray:
        """The coordinates in which locations differ. The density depends on them and on the norm of the rest."""
        active = np.flatnonzero(np.ptp(self.locations, axis=0) > 0)
        if len(active) > 2:
            raise ValueError(f"locations may differ in at most two coordinates, not in {len(active)}")
        return active

    def exponents_of_draws(self, z: Array, rest: Array) -> Iterator[Array]:
        """Component by component, the `exponents` (n, component) at draws from it.

        The draws are given in its own units: `z` (n, active) standard normal, `rest` (n,) the squared norm of the
        other coordinates.
        """
        for location, scale in zip(self.locations, self.scales, strict=True):
            x = location[self.active] + scale * z
            near = ((x[:, None, :] - self.locations[:, self.active]) ** 2).sum(axis=2)
            yield self.exponents(near + scale**2 * rest[:, None])

    def mean_log_density_and_overlap(self, points: int = 48) -> tuple[float, float]:
        """E log p, and the share of the draws for which another component is more responsible than their own.

        By Gauss–Hermite and Gauss–Laguerre rules.
        """
        rules = [np.polynomial.hermite_e.hermegauss(points)] * len(self.active)
        others = self.dim - len(self.active)
        if others > 0:
            # log p is linear in the squared norm if all components have one scale: then one node is exact.
            count = 1 if np.ptp(self.scales) == 0 else points
            nodes, weights = special.roots_genlaguerre(count, others / 2.0 - 1.0)
            rules.append((2.0 * nodes, weights))
        grid = np.stack(np.meshgrid(*[nodes for nodes, _ in rules], indexing="ij"), axis=-1).reshape(-1, len(rules))
        probability = functools.reduce(np.multiply.outer, [weights / weights.sum() for _, weights in rules]).ravel()
        z, rest = grid[:, : len(self.active)], grid[:, -1] if others > 0 else np.zeros(len(grid))
        mean, elsewhere = 0.0, 0.0
        for k, exponents in enumerate(self.exponents_of_draws(z, rest)):
            mean += self.weights[k] * float(probability @ special.logsumexp(exponents, axis=1))
            elsewhere += self.weights[k] * float(probability @ (exponents.argmax(axis=1) != k))
        return mean, elsewhere

    def assigned_shares(self, log2_points: int = 14) -> Array:
        """The share of the mass for which each component is the most responsible, (component,).

        By a Sobol sequence, which suits an integrand of zeros and ones; right to about 1e-4.
        """
        others = self.dim - len(self.active)
        sobol = stats.qmc.Sobol(len(self.active) + (others > 0), scramble=False).random_base2(log2_points)
        level = sobol + 0.5 / len(sobol)
        rest = stats.chi2.ppf(level[:, -1], others) if others > 0 else np.zeros(len(level))
        shares = np.zeros(len(self.weights))
        z = special.ndtri(level[:, : len(self.active)])
        for weight, exponents in zip(self.weights, self.exponents_of_draws(z, rest), strict=True):
            shares += weight * np.bincount(exponents.argmax(axis=1), minlength=len(shares)) / len(level)
        return shares


def mixture(
    locations: Array,
    weights: Array,
    scales: Array | float,
    *,
    one_point: Array,
    formula: str,
    description: str,
    source: str,
    tags: tuple[str, ...] = (),
) -> Target:
    """The target Σₖ wₖ N(mₖ, sₖ² I).

    Args:
        locations: mₖ, (component, dim); they may differ in at most two coordinates.
        weights: wₖ, (component,), in any unit.
        scales: sₖ, (component,) or one for all.
        one_point: the start that all chains share in the "one_point" experiment.
        formula: one line of plain text.
        description: one sentence.
        source: author, year, arXiv id or DOI.
        tags: besides "multimodal".
    """
    components = Components(locations, weights, np.asarray(scales))
    mean, second, variance_of_square = components.moments()
    mean_log_density, overlap = components.mean_log_density_and_overlap()
    separated = overlap < LARGEST_OVERLAP
    own = components.assign(components.locations) == np.arange(len(components.weights))
    # Starts: uniform on a box around all modes, wider than the target also where it has many narrow modes.
    margin = np.maximum(3.0 * components.scales.max(), 0.2 * np.ptp(components.locations, axis=0))
    low, high = components.locations.min(axis=0) - margin, components.locations.max(axis=0) + margin
    precision = np.repeat(components.scales[:, None] ** -2.0, components.dim, axis=1)
    return Target(
        dim=components.dim,
        density=log_density,
        data=components.data(),
        smoothed=components.data,
        draw_exact=components.draw,
        draw_dispersed=lambda generator, n: generator.uniform(low, high, (n, components.dim)),
        one_point=one_point,
        truth=Truth(
            origin="exact",
            mean=mean,
            second_moment=second,
            variance_of_square=variance_of_square,
            mean_log_density=mean_log_density,
            quantiles=components.quantiles(),
            note="moments in closed form, quantiles from the closed distribution function, mean log density by "
            f"Gauss–Hermite quadrature; modes overlap in {overlap:.1g} of the mass",
        ),
        modes=Modes(
            locations=components.locations,
            # Where components overlap, what belongs to each is not quite what was drawn from each.
            weights=components.weights if separated else components.assigned_shares(),
            precision=precision if separated else None,
            assignment=components.assign,
            at_peaks=bool(separated and own.all()),
        ),
        tags=("multimodal", *tags),
        formula=formula,
        description=description,
        source=source,
    )


def _ring(modes: int) -> Array:
    angle = 2.0 * np.pi * np.arange(modes) / modes
    return np.column_stack([np.cos(angle), np.sin(angle)]) / (2.0 * np.sin(np.pi / modes))


def _grid(modes: int) -> Array:
    side = int(np.rint(np.sqrt(modes)))
    if side**2 != modes:
        raise ValueError(f"layout 'grid' needs a square number of modes, such as {side**2}, not {modes}")
    at = np.arange(side) - (side - 1) / 2.0
    return np.stack(np.meshgrid(at, at, indexing="ij"), axis=-1).reshape(-1, 2)


def _line(modes: int) -> Array:
    return np.column_stack([np.arange(modes) - (modes - 1) / 2.0, np.zeros(modes)])


#: Locations (mode, 2) with neighbours at distance 1, centred.
LAYOUTS = {"ring": _ring, "grid": _grid, "line": _line}
#: Relative weights of the modes.
WEIGHTS = {
    "equal": np.ones,
    "alternating": lambda modes: np.where(np.arange(modes) % 2 == 0, 0.7, 0.3),
    "decreasing": lambda modes: 0.8 ** np.arange(modes),
}


def build(
    layout: str = "ring",
    modes: int = 8,
    separation: float = 6.0,
    weights: str = "equal",
    dim: int = 2,
    scale: float = 1.0,
) -> Target:
    """Components in a regular layout in the plane of the first two coordinates.

    Args:
        layout: ring, grid (a square number of modes) or line.
        modes: number of components, at least 2.
        separation: distance between neighbours, in units of `scale`.
        weights: equal, alternating (0.7 : 0.3) or decreasing (each 0.8 of the one before).
        dim: dimension, at least 2 (1 for a line).
        scale: standard deviation of each component.
    """
    if layout not in LAYOUTS:
        raise ValueError(unknown("layout", layout, list(LAYOUTS)))
    if weights not in WEIGHTS:
        raise ValueError(unknown("weights", weights, list(WEIGHTS)))
    if modes < 2:
        raise ValueError(f"modes = {modes} must be at least 2")
    if dim < (1 if layout == "line" else 2):
        raise ValueError(f"dim = {dim} must be at least {1 if layout == 'line' else 2} for layout {layout!r}")
    if not (separation > 0 and scale > 0):
        raise ValueError(f"separation = {separation} and scale = {scale} must be greater than 0")
    locations = np.zeros((modes, dim))
    plane = min(dim, 2)
    locations[:, :plane] = scale * separation * LAYOUTS[layout](modes)[:, :plane]
    # Between the two modes in the middle of a line or a grid; off the centre of a ring, where the score is nearly zero.
    one_point = np.full(dim, 0.05 * scale)
    if (modes if layout == "line" else round(np.sqrt(modes))) % 2 == 1 and layout != "ring":
        one_point[:plane] += scale * separation * np.array([0.5, 0.5 if layout == "grid" else 0.0])[:plane]
    one_point[0] += 0.05 * scale
    return mixture(
        locations,
        WEIGHTS[weights](modes),
        scale,
        one_point=one_point,
        formula="Σ wₖ N(mₖ, s² I)",
        description="Modes at any distance, in any number, weights and dimension: where noise alone stops to help.",
        source="closed form",
    )
