"""The contract of a target density: what a file in a targets folder gives, and what everything else may ask of it.

Knows the JIT layer. Must not know any particular target, any sampler or any metric.

A target file holds a docstring, a compiled density and a function ``build``::

    from mcmc_bench.core.target import Target, Truth, point_density

    @point_density
    def log_density(x, gradient, data):
        gradient[0] = -x[0]
        return -0.5 * x[0] ** 2

    def build() -> Target:
        '''The parameters of this function are the target's parameters.'''
        return Target(dim=1, density=log_density, ...)

The name of the target is the name of its file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.examples import Examples
from mcmc_bench.core.identity import documentation
from mcmc_bench.core.kinds import StartName, TruthOrigin
from mcmc_bench.kernels import jit as _jit
from mcmc_bench.kernels.frozen import frozen

Draw = Callable[[np.random.Generator, int], Array]

#: Levels at which truths give quantiles of every coordinate.
QUANTILE_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
#: What a target of the catalogue may be tagged with: what makes it hard, and where it comes from.
TAGS = (
    "gaussian",
    "curved",
    "multimodal",
    "heavy-tailed",
    "light-tailed",
    "ill-conditioned",
    "hierarchical",
    "real data",
    "generated data",
    "high-dimensional",
    "learned",
)


def block_density(function: Callable[..., None]) -> Any:
    """Compile a density in block form: ``(x (chain, dim), log_density (chain,), gradient (chain, dim), data) -> None``.

    Writes the log density (up to one constant, the same everywhere) and its gradient into its second and third
    argument. `data` is the target's flat float64 array. All arrays are C-contiguous.
    """
    return _jit.jit(function)


def point_density(function: Callable[..., float]) -> Any:
    """Compile a density of one point, ``(x (dim,), gradient (dim,), data) -> log density``, and lift it to block form.

    The function returns the log density and writes its gradient into its second argument.
    """
    return _jit.lift(_jit.jit(function))


def target_label(name: str, parameters: Mapping[str, Any]) -> str:
    """Name and parameters, e.g. ``gaussian(dim=10, condition=100)``."""
    inside = ", ".join(f"{key}={value}" for key, value in parameters.items())
    return f"{name}({inside})" if parameters else name


@dataclass(frozen=True, eq=False)
class Truth:
    """Expectations under the target, with where they come from.

    All arrays have shape (dim,), or (k,) where the k constrained parameters are meant. An entry is NaN where it is not known and infinite where it does not exist as a
    finite number (the second moment of a Student t with two degrees of freedom); metrics that need it are then
    not given. Standard errors are zero for `exact` and below what matters for `quadrature`.
    """

    origin: TruthOrigin
    mean: Array  # E x
    second_moment: Array  # E x²
    variance_of_square: Array  # Var x²
    mean_log_density: float  # E log p, with the density's own additive constant
    mean_standard_error: Array | None = None  # None means zero
    second_moment_standard_error: Array | None = None
    mean_log_density_standard_error: float = 0.0
    quantiles: Array | None = None  # (dim, len(QUANTILE_LEVELS))
    #: Standard errors of the shares of the mass below `quantiles`, same shape; None means zero.
    quantile_share_standard_error: Array | None = None
    log_density_quantiles: Array | None = None  # (len(QUANTILE_LEVELS),), with the density's own additive constant
    log_density_quantile_share_standard_error: Array | None = None  # same shape; None means zero
    note: str = documentation("")  # how the values were made, with source

    @property
    def variance(self) -> Array:
        """Var x, shape (dim,)."""
        return self.second_moment - self.mean**2


@dataclass(frozen=True, eq=False)
class Modes:
    """The known modes of a target with the share of the mass that belongs to each.

    `assign` maps points (n, dim) to mode numbers (n,), −1 for a point that belongs to none. By default a point
    belongs to the nearest location if that is within `radius`.
    """

    locations: Array  # (mode, dim)
    weights: Array  # (mode,), sums to one
    radius: float = np.inf  # Euclidean
    #: Eigenvalues of the precision matrix of each mode, (mode, dim), where modes are Gaussian components far enough
    #: apart for closed forms to hold within each; None where they are not.
    precision: Array | None = None
    assignment: Callable[[Array], npt.NDArray[np.int64]] | None = None
    #: Whether every location is a peak, where the gradient is zero. Means of overlapping components are not.
    at_peaks: bool = documentation(True)

    def assign(self, x: Array) -> npt.NDArray[np.int64]:
        """The mode number of each point, −1 for none. `x` has shape (n, dim); the result has shape (n,)."""
        if self.assignment is not None:
            return self.assignment(x)
        squared = np.stack([((x - location) ** 2).sum(axis=1) for location in self.locations], axis=1)  # (n, mode)
        nearest = squared.argmin(axis=1)
        inside = squared[np.arange(len(x)), nearest] <= self.radius**2
        return np.where(inside, nearest, -1)


@dataclass(frozen=True, eq=False)
class Constrained:
    """The parameters as people write them, where chains move in unconstrained ones (log τ instead of τ).

    The density is that of the unconstrained coordinates: the Jacobian of the map is part of it.
    """

    names: tuple[str, ...]  # k of them
    of: Callable[[Array], Array]  # unconstrained points (n, dim) -> constrained parameters (n, k)
    truth: Truth | None = None  # its arrays have shape (k,); its mean_log_density is NaN


@dataclass(frozen=True, eq=False)
class PartOfData:
    """An unbiased estimate of a log density and its gradient from some rows of its data.

    `density` is a dispatcher in block form. Its data begin with m, the number of rows n, the most chains C for which there
    is room, and the m row numbers of each of them, which the caller draws (3 + C · m numbers); those of the target follow.
    """

    density: Any
    rows: int  # of the whole data

    def __post_init__(self) -> None:
        """Freeze the density."""
        object.__setattr__(self, "density", frozen(self.density))


@dataclass(frozen=True, eq=False)
class Counterpart:
    """A density with a score in closed form that a learned one is compared with: same coordinates, same noise on both."""

    name: str  # of its target
    target: Callable[[], Target]  # with a smoothed density; made when it is asked for
    sigma: float  # σ of the noise that both are given with: the lowest at which they are compared
    highest_noise: float  # up to which the score was learned
    #: Whether the examples are draws from it. If not, it is the smoothed empirical distribution of the training examples,
    #: which a learner that generalises must differ from.
    is_source: bool


#: Chains that move in lock-step. Matrix targets become one BLAS call a step; 16 was best or equal on all that were
#: measured. Part of the definition of the streams: another value gives other (equally good) numbers.
BLOCK_CHAINS = 16


@dataclass(frozen=True, eq=False)
class Target:
    """A density to sample from, with what is known about it."""

    dim: int
    density: Any  # a dispatcher in block form, made by `block_density` or `point_density`
    draw_dispersed: Draw  # (generator, n) -> (n, dim): starts wider than the target, finite density everywhere
    one_point: Array  # (dim,): the one start shared by all chains in the "one_point" experiment
    data: Array = field(default_factory=lambda: np.zeros(1))  # flat float64, what the density is computed from
    truth: Truth | None = None
    modes: Modes | None = None
    draw_exact: Draw | None = None  # exact i.i.d. draws, (generator, n) -> (n, dim)
    #: The same target in double precision, where `density` and `data` compute in less: finite differences and comparisons
    #: to the last digit are made with that one, see `in_double`.
    double: Callable[[], Target] | None = None
    #: Chains that move in lock-step; more where a density's matrix products are worth it.
    block_chains: int = BLOCK_CHAINS
    #: Stored draws of a long reference run, (n, dim), thinned until nearly independent; for targets without
    #: an exact sampler.
    reference_draws: Array | None = None
    constrained: Constrained | None = None
    #: The smoothed density log (p ∗ N(0, σ² I)) and its score, where there is a closed form: noise level σ -> the `data`
    #: with which the same `density` computes them. A Gaussian mixture blurred by a Gaussian is again a Gaussian mixture,
    #: so that a family gives its smoothed score by other numbers and no other code. At σ = 0 it gives `data`.
    smoothed: Callable[[float], Array] | None = None
    #: A density of part of the data, for stochastic gradients: a posterior's likelihood estimated from some of its rows.
    part_of_data: PartOfData | None = None
    #: p^β has an integral for every β above this number: 0 where the tails fall exponentially or faster, 1/(ν + 1) for
    #: Student's t with ν degrees of freedom in each coordinate. Below 1, since p has one itself.
    smallest_power: float = 0.0
    examples: Examples | None = None  # for densities that were learned
    counterpart: Counterpart | None = None  # likewise
    tags: tuple[str, ...] = documentation(())  # from TAGS
    formula: str = documentation("")  # one line of plain text
    description: str = documentation("")  # why it is in the catalogue, one sentence
    source: str = documentation("")  # author, year, arXiv id or DOI
    coordinate_names: tuple[str, ...] | None = None
    #: Called after the density has been evaluated by compiled code, from Python: raises what the density could not raise
    #: itself (see `mcmc_bench.densities`), and keeps alive what the density needs.
    after_call: Callable[[], None] | None = None
    #: What the density is made from, where `density`, `data` and `after_call` hold addresses or are not the same in every
    #: process: this stands for them in the target's identity.
    made_from: Any = None
    name: str = ""  # filled in by the catalog
    parameters: dict[str, Any] = field(default_factory=dict)  # filled in by the catalog

    def __post_init__(self) -> None:
        """Freeze the density, and check shapes, so that a wrong file fails where it is made and not inside a kernel."""
        object.__setattr__(self, "density", frozen(self.density))
        if self.dim < 1:
            raise ValueError(f"a target's dim must be at least 1, not {self.dim}")
        # Copies: what is done to the caller's arrays later is not done to the target.
        object.__setattr__(self, "data", np.array(self.data, dtype=np.float64, order="C").ravel())
        object.__setattr__(self, "one_point", np.array(self.one_point, dtype=np.float64))
        if self.one_point.shape != (self.dim,):
            raise ValueError(f"one_point must have shape ({self.dim},), not {self.one_point.shape}")
        if not 0.0 <= self.smallest_power < 1.0:
            raise ValueError(f"smallest_power = {self.smallest_power} must be at least 0 and less than 1")
        if self.truth is not None:
            for name in ("mean", "second_moment", "variance_of_square"):
                shape = np.shape(getattr(self.truth, name))
                if shape != (self.dim,):
                    raise ValueError(f"truth.{name} must have shape ({self.dim},), not {shape}")
        if self.modes is not None:
            if self.modes.locations.shape != (len(self.modes.weights), self.dim):
                raise ValueError(
                    f"modes.locations must have shape ({len(self.modes.weights)}, {self.dim}), "
                    f"not {self.modes.locations.shape}"
                )
            if not np.isclose(self.modes.weights.sum(), 1.0):
                raise ValueError(f"modes.weights must sum to 1, not to {self.modes.weights.sum()}")

    def __fingerprint__(self) -> dict[str, Any]:
        """The fields that determine a number, by name."""
        left_out = () if self.made_from is None else ("density", "data", "after_call")
        counted = [field.name for field in fields(self) if field.metadata.get("fingerprint", True)]
        return {name: getattr(self, name) for name in counted if name not in left_out}

    @property
    def pointer(self) -> Any:
        """The density, compiled so that kernels take it as a function pointer."""
        return _jit.compiled(self.density, _jit.BLOCK_SIGNATURE)

    @property
    def label(self) -> str:
        """Name and parameters, e.g. ``gaussian(dim=10, condition=100)``: unique within a suite."""
        return target_label(self.name, self.parameters)

    def log_density_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Log density (n,) and gradient (n, dim) at points `x` (n, dim), or at one point (dim,) with n = 1."""
        points = np.atleast_2d(
            np.array(x, dtype=np.float64, order="C")
        )  # a copy: a faulty density cannot harm the caller
        if points.ndim != 2 or points.shape[1] != self.dim:
            raise ValueError(f"{self.label} takes points of shape (n, {self.dim}), not {np.shape(x)}")
        log_density = np.empty(len(points))
        gradient = np.empty_like(points)
        self.pointer(points, log_density, gradient, self.data)
        if self.after_call is not None:
            self.after_call()
        return log_density, gradient

    def in_double(self) -> Target:
        """The same target, computed in double precision."""
        return self if self.double is None else replace(self.double(), name=self.name, parameters=self.parameters)

    def at_noise(self, sigma: float) -> Target:
        """The target p ∗ N(0, σ² I): only its density, and starts that are as wide as it is.

        Args:
            sigma: σ, the standard deviation of the noise in every coordinate, at least 0.

        Raises:
            ValueError: σ is negative or not finite, or the target declares no smoothed density.
        """
        if self.smoothed is None:
            raise ValueError(f"{self.label} has no smoothed density in closed form; Gaussians and their mixtures have")
        if not 0.0 <= sigma < np.inf:
            raise ValueError(f"sigma = {sigma} must be finite and at least 0")
        smoothed, draw_exact, draw_dispersed = self.smoothed, self.draw_exact, self.draw_dispersed

        def with_noise(draw: Draw) -> Draw:
            return lambda generator, n: draw(generator, n) + sigma * generator.standard_normal((n, self.dim))

        return Target(
            dim=self.dim,
            density=self.density,
            data=smoothed(sigma),
            draw_exact=None if draw_exact is None else with_noise(draw_exact),
            draw_dispersed=with_noise(draw_dispersed),
            one_point=self.one_point,
            block_chains=self.block_chains,
            smoothed=lambda further: smoothed(float(np.hypot(sigma, further))),
            after_call=self.after_call,
            tags=self.tags,
            formula=f"({self.formula}) ∗ N(0, {sigma:g}² I)",
            name=self.name,
            parameters={**self.parameters, "sigma": sigma},
        )

    def starts(self, kind: StartName, generator: np.random.Generator, chains: int) -> Array:
        """Starting points (chains, dim) of one kind.

        Raises:
            ValueError: an unknown kind, or ``exact`` for a target without an exact sampler.
        """
        if kind == "dispersed":
            return np.ascontiguousarray(self.draw_dispersed(generator, chains), dtype=np.float64)
        if kind == "one_point":
            return np.tile(self.one_point, (chains, 1))
        if kind == "exact":
            if self.draw_exact is None:
                raise ValueError(f"{self.label} has no exact sampler; start it 'dispersed' or from 'one_point'")
            return np.ascontiguousarray(self.draw_exact(generator, chains), dtype=np.float64)
        raise ValueError(f"unknown start {kind!r}: choose dispersed, one_point or exact")
