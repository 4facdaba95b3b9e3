"""What one evaluation of a target costs on this machine: measured once, then remembered beside the compiled code.

Must not know any particular target.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import threadpoolctl

from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Array, Target
from mcmc_bench.kernels import jit as _jit

#: Chains of a block, as kernels move them.
BLOCK = 16
#: Repeats of which the best counts, and the shortest that is trusted, in seconds.
REPEATS, SHORTEST = 9, 0.004


def nanoseconds(target: Target, points: Array | None = None) -> float:
    """Of one evaluation for one chain; compiles the target.

    Args:
        target: the target.
        points: the block (n, dim) that is evaluated; 16 dispersed starts by default.
    """
    x = np.ascontiguousarray(target.starts("dispersed", stream("cost"), BLOCK) if points is None else points)
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
    """``85 ns``, ``6.5 µs``, or a dash where it is not known."""
    if cost is None or not np.isfinite(cost):
        return "–"
    return f"{cost:.0f} ns" if cost < 1000 else f"{cost / 1e3:.3g} µs" if cost < 1e6 else f"{cost / 1e6:.3g} ms"


class Memory:
    """Costs that were measured with the present sources on this machine, by label of the target."""

    def __init__(self, folder: Path) -> None:
        """For targets whose files are in `folder`."""
        self._file = _jit.cache_folder(folder.resolve()) / "costs.json"
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or one that was cut off: measured again
            stored = {}
        self._known: dict[str, float] = stored if isinstance(stored, dict) else {}

    def get(self, label: str) -> float | None:
        """The cost of a target, or None."""
        return self._known.get(label)

    def measure(self, target: Target) -> float:
        """Measure, and remember."""
        cost = nanoseconds(target)
        self._known[target.label] = round(cost, 1)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._known), encoding="utf-8")
        except OSError:  # a folder that cannot be written only means that it is measured again
            return cost
        return cost
