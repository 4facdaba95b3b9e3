"""The setup of a block of chains: target, sampler, settings, coordinates, and the density that the step is given.

Knows the kernels and the contracts. Must not know any particular sampler or target, nor how long chains run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target
from mcmc_bench.kernels import affine
from mcmc_bench.kernels import jit as _jit
from mcmc_bench.kernels.chunk import CHUNK_SIGNATURE, run_chunk


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that a block needs to move: a target, a sampler, and all that can be chosen about it."""

    target: Target
    sampler: Sampler
    settings: Mapping[str, float]  # complete
    inverse_mass_matrix: Array | None = None  # (dim,) or (dim, dim); None leaves the target's own coordinates
    schedule: Array = field(default_factory=lambda: np.empty(0))

    @cached_property
    def root(self) -> Array:
        """The coordinates, see `mcmc_bench.kernels.affine`; (0, dim) for the target's own."""
        if self.inverse_mass_matrix is None:
            return np.empty((0, self.target.dim))
        return affine.root_of(self.inverse_mass_matrix)

    @cached_property
    def inner(self) -> Target:
        """The target as a density of the coordinates in which the chains move."""
        if self.inverse_mass_matrix is None:
            return self.target
        return replace(
            self.target,
            density=affine.in_coordinates(_jit.compiled(self.target.density, _jit.BLOCK_SIGNATURE)),
            data=affine.coordinates_data(self.root, self.target.data),
            truth=None,
            modes=None,
            smoothed=None,
            part_of_data=None,
        )

    @cached_property
    def prepared(self) -> tuple[Any, Array]:
        """The density that the step is given, and its data."""
        if self.sampler.prepare is None:
            return self.inner.density, self.inner.data
        density, data = self.sampler.prepare(self.inner, self.settings, self.schedule)
        return density, np.ascontiguousarray(data, dtype=np.float64)

    @cached_property
    def addresses(self) -> tuple[int, int]:
        """Of the step and of the density that it is given."""
        step = _jit.address(self.sampler.step, _jit.STEP_SIGNATURE)
        return step, _jit.address(self.prepared[0], _jit.BLOCK_SIGNATURE)

    @cached_property
    def vector(self) -> Array:
        """The settings as the step takes them."""
        return np.array(list(self.settings.values()), dtype=np.float64)

    @cached_property
    def statistics(self) -> tuple[str, ...]:
        """Names of the columns of statistics."""
        return self.sampler.statistics(self.settings)

    def number(self, of: int | Callable[[Mapping[str, float]], int]) -> int:
        """A number of arrays that may depend on the settings."""
        return of(self.settings) if callable(of) else of

    def compile(self) -> None:
        """Compile, or read from the cache, what the chains need."""
        if self.sampler.compiled:
            _jit.compiled(self.sampler.step, _jit.STEP_SIGNATURE)
            _jit.compiled(self.inner.density, _jit.BLOCK_SIGNATURE)
            _jit.compiled(self.prepared[0], _jit.BLOCK_SIGNATURE)
            _jit.compiled(run_chunk, CHUNK_SIGNATURE)

    def with_settings(self, settings: Mapping[str, float]) -> Setup:
        """The same with other step sizes and lengths, which neither density nor coordinates depend on."""
        other = copy.copy(self)  # what is cached stays
        other.__dict__.update(settings=dict(settings))
        other.__dict__.pop("vector", None)
        return other

    def outside(self, u: Array) -> Array:
        """Points (…, dim) in the target's own coordinates."""
        return u if self.inverse_mass_matrix is None else affine.outside(u, self.root)

    def inside(self, x: Array) -> Array:
        """Points (n, dim) in the coordinates in which the chains move."""
        return x.copy() if self.inverse_mass_matrix is None else affine.inside(x, self.root)
