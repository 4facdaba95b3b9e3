"""The cost of one evaluation of a target on this machine: measured once, then remembered beside the compiled code.

Must not know any particular target.
"""

from __future__ import annotations

import contextlib
import json
import time

import numpy as np
import threadpoolctl

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.kernels.compile_cache import cache_folder, compiler
from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.tokens import NoFingerprintError

#: Repeats of which the best counts, and the shortest that is trusted, in seconds.
REPEATS, SHORTEST = 9, 0.004


def nanoseconds(target: Target, points: Array | None = None) -> float:
    """Nanoseconds of one evaluation for one chain; compiles the target.

    Args:
        target: the target.
        points: the block (n, dim) that is evaluated; dispersed starts by default, as many as move in lock-step.
    """
    x = np.ascontiguousarray(
        target.starts("dispersed", stream("cost"), target.block_chains) if points is None else points
    )
    log_density, gradient = np.empty(len(x)), np.empty_like(x)
    density, calls, best = target.pointer, 1, np.inf
    repeats = 0
    # As in sampling: blocks of chains run in parallel, and each has one thread of BLAS.
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        while repeats < REPEATS:
            before = time.perf_counter()
            for _ in range(calls):
                density(x, log_density, gradient, target.data)
            seconds = time.perf_counter() - before
            if seconds < SHORTEST:
                calls *= 4
                continue
            best, repeats = min(best, seconds / calls), repeats + 1
    return 1e9 * best / len(x)


def words(cost: float | None) -> str:
    """The cost with its unit: ``85 ns``, ``6.5 µs``; a dash if it is not known."""
    if cost is None or not np.isfinite(cost):
        return "–"
    return f"{cost:.0f} ns" if cost < 1000 else f"{cost / 1e3:.3g} µs" if cost < 1e6 else f"{cost / 1e6:.3g} ms"


class Memory:
    """Costs that were measured on this machine, each of a target that has not changed since."""

    def __init__(self) -> None:
        """Read what is remembered."""
        self._file = cache_folder() / "costs.json"
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or one that was cut off: measured again
            stored = {}
        self._known: dict[str, float] = stored if isinstance(stored, dict) else {}

    def get(self, target: Target) -> float | None:
        """The cost of a target, or None."""
        return self._known.get(_key(target))

    def measure(self, target: Target) -> float:
        """Measure, and remember."""
        cost = nanoseconds(target)
        if key := _key(target):
            self._known[key] = round(cost, 1)
            with contextlib.suppress(OSError):  # a folder that cannot be written only means that it is measured again
                self._file.write_text(json.dumps(self._known), encoding="utf-8")
        return cost


def _key(target: Target) -> str:
    try:
        return fingerprint((target, compiler()))
    except NoFingerprintError:
        return ""
