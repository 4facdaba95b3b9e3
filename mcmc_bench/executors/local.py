"""worker processes of this machine: a job that hangs or crashes ends alone.

The processes start from any script, leave Ctrl-C to their parent, and end when they are told to. Must not know what the
jobs do.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, Generic

import pebble
import threadpoolctl

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.executors import Executor, Future, JobError, T


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


def _prepare(module: str) -> None:
    # The pool's own handler is Python, which does not run inside a kernel that loops: each time limit took 3 s more.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Before the first task: the pool hands out tasks one at a time, and would wait for the imports of each worker.
    importlib.import_module(module)
    # There is a worker for each processor; and the last bits of a product depend on the number of threads. Only what is
    # loaded can be limited, so this comes after the imports.
    threadpoolctl.threadpool_limits(limits=1)


def _in_words(function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)`, but whatever it raises becomes a JobError.

    The exception itself must not reach the parent: one of a class that the parent cannot load breaks the pool,
    SystemExit would end the run, and a TimeoutError would pass for the time limit.
    """
    try:
        return function(*arguments)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it ends here
        raise JobError.of(error) from None


class _Job(Future[T], Generic[T]):
    """A task of the pool."""

    def __init__(self, task: Any, timeout: float | None) -> None:
        self.task, self.timeout = task, timeout

    def result(self) -> T:
        try:
            return self.task.result()
        except JobError:
            raise
        except TimeoutError:
            raise JobError(f"not finished after {self.timeout:g} s", Outcome.TIMED_OUT) from None
        except pebble.ProcessExpired as error:
            message = f"its process ended with exit code {error.exitcode}"
            raise JobError(message, Outcome.DIED) from error
        except Exception as error:
            raise JobError.of(error) from error


class Local(Executor):
    """A pool of worker processes, started with the first job."""

    pool: Any = None

    def submit(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> Future[T]:
        """As in `Executor`. Workers have imported the module of the first job's function before they begin."""
        if self.pool is None:
            self.pool = pebble.ProcessPool(
                max_workers=self.workers, context=_Context(), initializer=_prepare, initargs=(function.__module__,)
            )
        return _Job(self.pool.schedule(_in_words, args=(function, *arguments), timeout=timeout), timeout)

    def as_completed(self, futures: Iterable[Future[T]]) -> Iterator[Future[T]]:
        """As in `Executor`."""
        waiting = {future.task: future for future in futures if isinstance(future, _Job)}
        while waiting:
            done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)  # Ctrl-C is answered in between
            for task in done:
                yield waiting.pop(task)

    def close(self, *, now: bool) -> None:
        """End the workers."""
        if self.pool is not None:
            (self.pool.stop if now else self.pool.close)()
            self.pool.join()


EXECUTOR = Local
