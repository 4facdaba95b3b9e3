"""The chains of one run: blocks that move in lock-step, one after the other or on several threads.

Knows the kernels and the contracts. Must not know any particular sampler or target, nor what the draws are for.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import threadpoolctl

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.sampler import ACCEPTANCE, Sampler
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.kernels import affine
from mcmc_bench.kernels import jit as _jit
from mcmc_bench.kernels.chunk import CHUNK_SIGNATURE, run_chunk
from mcmc_bench.sampling.budget import Plan, SamplingError
from mcmc_bench.sampling.counted_target import CountedTarget

#: Target evaluations of a block (chains × steps) between two looks at progress and Ctrl-C. A number and not a time,
#: so that results cannot depend on the speed of the machine.
CHUNK_EVALUATIONS = 400_000

Progress = Callable[[int], None]


@cache
def _blas() -> threadpoolctl.ThreadpoolController:
    import scipy.linalg.cython_blas  # noqa: F401 - loads the BLAS that numba's np.dot calls, so that it is found

    return threadpoolctl.ThreadpoolController()


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
            truth=None, modes=None, smoothed=None, part_of_data=None,
        )  # fmt: skip

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
        if self.sampler.draw is None:
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


class Block:
    """The state of one block of chains and what it has kept."""

    def __init__(self, setup: Setup, start: Array, generator: np.random.Generator) -> None:
        chains, dim = start.shape
        self.generator = generator
        self.evaluations = np.zeros(1, dtype=np.int64)  # calls of the density
        self.outside = np.empty((chains, dim))
        self.stopped_at = np.full(chains, -1, dtype=np.int64)
        self.mean_powers = np.zeros((2, chains, dim))
        self.tuning_evaluations = 0.0  # of a sampler written in Python
        self.extra_evaluations = 0.0  # at starts, where a call of the step's density costs less than one of the target
        self.place(setup, start)
        self.keep(0)

    def place(self, setup: Setup, x: Array) -> None:
        """Begin at `x` (chain, dim) with another setup; costs the evaluations of a start."""
        self.setup = setup
        target, sampler = setup.inner, setup.sampler
        chains, dim = x.shape
        self.position = np.ascontiguousarray(setup.inside(x))
        self.log_density, self.gradient = np.empty(chains), np.empty((chains, dim))
        self.statistics = np.zeros((chains, len(setup.statistics)))
        self.statistic_sums = np.zeros_like(self.statistics)
        if sampler.draw is not None:
            return
        target.pointer(self.position, self.log_density, self.gradient, target.data)
        if target.after_call is not None:
            target.after_call()
        self.extra_evaluations += 1.0
        bad = np.flatnonzero(~(np.isfinite(self.log_density) & np.isfinite(self.gradient).all(axis=1)))
        if len(bad):
            raise SamplingError(
                f"{setup.target.label}: log density {self.log_density[bad[0]]} or its gradient is not finite at the "
                f"start {np.array2string(x[bad[0]], threshold=6)}; start the chains elsewhere"
            )
        self.data = setup.prepared[1].copy() if sampler.writes_data else setup.prepared[1]
        self.scratch = np.zeros((max(setup.number(sampler.scratch), 1), chains, dim))
        self.memory = np.zeros((max(setup.number(sampler.memory), 1), chains, dim))
        if sampler.init_memory is not None:
            counted = CountedTarget(target, chains)
            self.memory[:] = sampler.init_memory(counted, self.generator, setup.settings, setup.schedule, self.position)
            self.extra_evaluations += counted.evaluations

    def keep(self, draws: int) -> None:
        """Make room for so many draws, and forget what was summed up; a chain that has become non-finite stays marked."""
        chains, dim = self.position.shape
        self.kept_position = np.empty((draws, chains, dim))
        self.kept_log_density = np.empty((draws, chains))
        self.kept_statistics = np.zeros((draws, *self.statistics.shape))
        self.mean_powers[:] = np.where(np.isnan(self.mean_powers), np.nan, 0.0)
        self.statistic_sums = np.zeros_like(self.statistics)
        self.done = 0

    @property
    def spent(self) -> float:
        """Target evaluations of each chain so far."""
        share = self.setup.sampler.evaluation_share(self.setup.settings)
        return float(self.extra_evaluations + share * self.evaluations[0])

    @property
    def spent_when_left(self) -> Array:
        """Target evaluations of each chain when it became non-finite, (chain,); meaningless for one that stayed finite."""
        if self.setup.sampler.draw is not None:
            return self.stopped_at.astype(np.float64)
        share = self.setup.sampler.evaluation_share(self.setup.settings)
        return np.asarray(self.extra_evaluations + share * self.stopped_at, dtype=np.float64)

    @property
    def x(self) -> Array:
        """The chains' positions in the target's own coordinates."""
        return self.setup.outside(self.position)

    def advance(self, count: int, thin: int, progress: Progress, stop: threading.Event) -> None:
        """`count` further transitions, of which every `thin`-th is kept while there is room."""
        setup = self.setup
        per_step = max(1, int(setup.sampler.evaluations_per_step(setup.settings)))
        chunk = max(1, CHUNK_EVALUATIONS // (per_step * len(self.position)))
        step, density = setup.addresses
        for first in range(0, count, chunk):
            steps = min(chunk, count - first)
            run_chunk(
                step, density, self.data, self.generator, setup.vector,
                self.position, self.log_density, self.gradient, self.statistics, self.memory, self.scratch,
                self.evaluations, self.stopped_at, setup.root, self.outside, steps, self.done, thin,
                self.kept_position, self.kept_log_density, self.kept_statistics, self.mean_powers, self.statistic_sums,
            )  # fmt: skip
            self.done += steps
            if setup.target.after_call is not None:
                setup.target.after_call()
            progress(steps * len(self.position))
            if stop.is_set():
                raise KeyboardInterrupt

    def run_python(self, plan: Plan, progress: Progress) -> CountedTarget:
        """A sampler written in Python returns all its transitions at once; the warmup is cut off here.

        Returns the target that was handed out, which knows what each phase took.
        """
        sampler, target, chains = self.setup.sampler, self.setup.target, len(self.position)
        assert sampler.draw is not None
        counted = CountedTarget(target, chains)
        total = plan.warmup + plan.transitions
        try:
            made = sampler.draw(counted, self.generator, self.position, total, self.setup.settings)
            positions = np.asarray(made, dtype=np.float64)
        except SamplingError:
            raise
        except Exception as error:  # it is the user's code: whatever it raises is said with the sampler's name
            raise SamplingError(f"{sampler.name}: draw() raised {type(error).__name__}: {error}") from error
        if positions.shape != (total, *self.position.shape):
            raise SamplingError(
                f"{sampler.name}: draw() returned positions of shape {positions.shape}; they must have shape "
                f"{(total, *self.position.shape)}, (draws, chain, dim)"
            )
        counted.ends("sampling")
        self.extra_evaluations, self.tuning_evaluations = counted.evaluations, counted.tuning_evaluations
        measured = positions[plan.warmup :]  # (transition, chain, dim)
        finite = np.isfinite(positions).all(axis=(0, 2))
        self.stopped_at = np.where(finite, -1, counted.evaluations).astype(np.int64)
        self.mean_powers[0] = measured.mean(axis=0)
        self.mean_powers[1] = (measured**2).mean(axis=0)
        self.statistic_sums[:, ACCEPTANCE] = plan.transitions
        self.position = measured[-1].copy()
        self.kept_position[:] = measured[plan.thin - 1 :: plan.thin][: len(self.kept_position)]
        self.kept_statistics[:, :, ACCEPTANCE] = 1.0
        progress(total * chains)
        return counted

    def look_up_log_density(self) -> None:
        """The target's log density at the kept draws: bookkeeping, not a cost of the sampler."""
        points = self.kept_position.reshape(-1, self.position.shape[1])
        log_density = np.full(len(points), np.nan)
        finite = np.isfinite(points).all(axis=1)
        if finite.any():
            log_density[finite] = self.setup.target.log_density_and_gradient(points[finite])[0]
        self.kept_log_density[:] = log_density.reshape(self.kept_log_density.shape)


class Chains:
    """All chains of one run."""

    def __init__(
        self, setup: Setup, start: Array, names: Sequence[object], *, threads: int = 1, progress: Progress | None = None,
        stop: threading.Event | None = None,
    ) -> None:  # fmt: skip
        declared = setup.sampler.block_chains or setup.target.block_chains
        size = len(start) if declared == "all" else declared
        self.setup, self.threads = setup, threads
        self.progress: Progress = progress or (lambda count: None)
        self.stop = stop or threading.Event()
        self._slices = [slice(first, first + size) for first in range(0, len(start), size)]
        self.blocks = [Block(setup, start[s], stream(*names, "block", index)) for index, s in enumerate(self._slices)]

    def each(self, what: Callable[[Block], Any]) -> list[Any]:
        """`what` done to every block, with as many at a time as there are threads; the numbers do not depend on it."""
        with _blas().limit(limits=1, user_api="blas"):
            if self.threads == 1 or len(self.blocks) == 1:
                return [what(block) for block in self.blocks]
            with ThreadPoolExecutor(self.threads) as pool:
                return list(pool.map(what, self.blocks))

    def place(self, setup: Setup, x: Array) -> None:
        """Go on from `x` (chain, dim) with another setup."""
        self.setup = setup
        for block, chains in zip(self.blocks, self._slices, strict=True):
            block.place(setup, x[chains])

    def set(self, settings: Mapping[str, float]) -> None:
        """Go on from where the chains are with other settings, see `Setup.with_settings`."""
        self.setup = self.setup.with_settings(settings)
        for block in self.blocks:
            block.setup = self.setup

    def state(self) -> list[tuple[Array, ...]]:
        """A copy of where the chains are."""
        return [(b.position.copy(), b.log_density.copy(), b.gradient.copy(), b.memory.copy()) for b in self.blocks]

    def restore(self, state: list[tuple[Array, ...]], non_finite: npt.NDArray[np.bool_]) -> None:
        """Put the chains in `non_finite`, (chain,), back to where they were at `state`."""
        for block, chains, (position, log_density, gradient, memory) in zip(
            self.blocks, self._slices, state, strict=True
        ):
            back = non_finite[chains]
            block.position[back], block.log_density[back] = position[back], log_density[back]
            block.gradient[back], block.memory[:, back] = gradient[back], memory[:, back]
            block.stopped_at[back] = -1
            block.mean_powers[:, back] = 0.0

    @property
    def x(self) -> Array:
        """Positions of all chains in the target's own coordinates, (chain, dim)."""
        return self.all("x")

    def keep(self, draws: int) -> None:
        """Make room for so many draws of every chain."""
        for block in self.blocks:
            block.keep(draws)

    def advance(self, count: int, thin: int = 1) -> float:
        """`count` transitions of all chains; the seconds that they took, summed over blocks."""

        def one(block: Block) -> float:
            before = time.perf_counter()
            block.advance(count, thin, self.progress, self.stop)
            return time.perf_counter() - before

        return sum(self.each(one))

    def all(self, name: str) -> Array:
        """An attribute of the blocks whose first axis is the chain, of all chains in order."""
        return np.concatenate([getattr(block, name) for block in self.blocks])

    def chains_first(self, name: str) -> Array:
        """An attribute of the blocks whose second axis is the chain: (chain, first axis, …)."""
        return np.concatenate([np.moveaxis(getattr(block, name), 1, 0) for block in self.blocks])

    @property
    def spent(self) -> Array:
        """Target evaluations of every chain so far, (chain,)."""
        return np.concatenate([np.full(len(block.position), block.spent) for block in self.blocks])

    @property
    def tuning_spent(self) -> Array:
        """Those that a sampler written in Python has spent on tuning itself, (chain,)."""
        return np.concatenate([np.full(len(block.position), block.tuning_evaluations) for block in self.blocks])
