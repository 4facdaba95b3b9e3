"""Worker processes that start from any script, leave Ctrl-C to their parent, and end when they are told to.

Must not know what the workers do.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Sequence
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType

import pebble
import threadpoolctl


class _Process(SpawnProcess):
    def start(self) -> None:
        """Start with neither the caller's script nor an open ear for Ctrl-C."""
        # A spawned process runs the caller's script again: without its `if __name__ == "__main__"` that never ends, and
        # a program read from standard input cannot be found. What workers do is imported by name and needs no script.
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        # Ctrl-C in a terminal goes to every process. A blocked signal stays blocked in a child, from its first
        # moment: it would answer with a traceback while it is still importing.
        unix = hasattr(signal, "pthread_sigmask")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if unix else set()
        try:
            super().start()
        finally:
            sys.modules["__main__"] = script
            if unix:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Context(SpawnContext):  # spawn: numba's threads and fork do not go together
    Process = _Process


def _prepare(modules: Sequence[str]) -> None:
    # The pool's own handler is Python, which does not run inside a kernel that loops: each time limit took 3 s more.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Before the first task: the pool hands out tasks one at a time, and would wait for the imports of each worker.
    for module in modules:
        importlib.import_module(module)
    # There is a worker for each processor; and the last bits of a product depend on the number of threads. Only what is
    # loaded can be limited, so this comes after the imports.
    threadpoolctl.threadpool_limits(limits=1)


def process_pool(workers: int, modules: Sequence[str]) -> pebble.ProcessPool:
    """A pool of `workers` processes, each of one thread, that have imported `modules` before their first task."""
    return pebble.ProcessPool(max_workers=workers, context=_Context(), initializer=_prepare, initargs=(modules,))
