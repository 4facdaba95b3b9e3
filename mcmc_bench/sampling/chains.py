"""The chains of one run: blocks that move in lock-step, one after the other or on several threads.

Knows the contracts. Must not know any particular sampler or target, nor what the draws are for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from functools import cache
from typing import Any

import numpy as np
import threadpoolctl

from mcmc_bench.core.arrays import Array, BoolArray
from mcmc_bench.core.streams import stream
from mcmc_bench.sampling.blocks import Block, CompiledBlock, Progress, PythonBlock, Seconds
from mcmc_bench.sampling.budget import Plan
from mcmc_bench.sampling.setup import Setup

__all__ = ["Chains", "Progress", "Setup"]


@cache
def _blas() -> threadpoolctl.ThreadpoolController:
    import scipy.linalg.cython_blas  # noqa: F401 - loads the BLAS that numba's np.dot calls, so that it is found

    return threadpoolctl.ThreadpoolController()


class Chains:
    """All chains of one run."""

    def __init__(
        self,
        setup: Setup,
        start: Array,
        names: Sequence[object],
        *,
        threads: int = 1,
        progress: Progress | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        declared = setup.sampler.block_chains or setup.target.block_chains
        size = len(start) if declared == "all" else declared
        self.setup, self.threads = setup, threads
        self.progress: Progress = progress or (lambda count: None)
        self.stop = stop or threading.Event()
        self._slices = [slice(first, first + size) for first in range(0, len(start), size)]
        block: type[Block] = CompiledBlock if setup.sampler.compiled else PythonBlock
        self.blocks = [block(setup, start[s], stream(*names, "block", index)) for index, s in enumerate(self._slices)]

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
        """A copy of where the chains of a compiled step are."""
        return [block.state() for block in self._compiled]

    def restore(self, state: list[tuple[Array, ...]], back: BoolArray) -> None:
        """Put the chains in `back`, (chain,), to where they were at `state`."""
        for block, chains, before in zip(self._compiled, self._slices, state, strict=True):
            block.restore(before, back[chains])

    @property
    def _compiled(self) -> list[CompiledBlock]:
        return [block for block in self.blocks if isinstance(block, CompiledBlock)]

    @property
    def x(self) -> Array:
        """Positions of all chains in the target's own coordinates, (chain, dim)."""
        return self.all("x")

    def keep(self, draws: int) -> None:
        """Make room for so many draws of every chain."""
        for block in self.blocks:
            block.keep(draws)

    def advance(self, count: int, thin: int = 1) -> float:
        """`count` transitions of all chains of a compiled step; the seconds that they took, summed over blocks."""

        def one(block: Block) -> float:
            assert isinstance(block, CompiledBlock)
            before = time.perf_counter()
            block.advance(count, thin, self.progress, self.stop)
            return time.perf_counter() - before

        return sum(self.each(one))

    def run(self, plan: Plan) -> Seconds:
        """Warmup and measured transitions of all chains; the seconds that they took, summed over blocks."""
        each = self.each(lambda block: block.run(plan, self.progress, self.stop))
        return Seconds(*(sum(column) for column in zip(*map(astuple, each), strict=True)))

    def end_tuning(self) -> None:
        """Book what has been spent so far as tuning."""
        for block in self.blocks:
            block.tuning_spent = block.spent

    def all(self, name: str) -> Array:
        """An attribute of the blocks whose first axis is the chain, of all chains in order."""
        return np.concatenate([getattr(block, name) for block in self.blocks])

    def chains_first(self, name: str) -> Array:
        """An attribute of the blocks whose second axis is the chain: (chain, first axis, …)."""
        return np.concatenate([np.moveaxis(getattr(block, name), 1, 0) for block in self.blocks])

    def by_block(self, name: str) -> Array:
        """A number of the blocks, for each of their chains: (chain,)."""
        return np.concatenate([np.full(len(block.position), getattr(block, name)) for block in self.blocks])

    @property
    def spent(self) -> Array:
        """Target evaluations of every chain so far, (chain,)."""
        return self.by_block("spent")
