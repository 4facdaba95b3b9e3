"""one job after the other in this process, for breakpoints; time limits are not kept.

A job that crashes takes the process with it. Must not know what the jobs do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, ClassVar, Generic

import threadpoolctl

from mcmc_bench.executors import Executor, Future, JobError, T


class _Job(Future[T], Generic[T]):
    """Runs when its result is asked for, once."""

    def __init__(
        self, function: Callable[..., T], arguments: tuple[Any, ...], raised: Callable[[BaseException], None]
    ) -> None:
        self.function, self.arguments, self.raised = function, arguments, raised
        self.values: list[T] = []
        self.error: JobError | None = None

    def result(self) -> T:
        if not self.values and self.error is None:
            try:
                # As in a worker process: the last bits of a product depend on the number of threads.
                with threadpoolctl.threadpool_limits(limits=1):
                    self.values.append(self.function(*self.arguments))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a job raises; Ctrl-C is the caller's
                self.raised(error)
                self.error = JobError.of(error)
                if self.error is not error:
                    self.error.__cause__ = error
        if self.error is not None:
            raise self.error
        return self.values[0]


class Inline(Executor):
    """Runs each job when its result is asked for. Its error has the original exception as its cause."""

    in_this_process: ClassVar[bool] = True

    def submit(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> Future[T]:  # noqa: ARG002
        """As in `Executor`; a `timeout` cannot be kept."""
        return _Job(function, arguments, self.raised)

    def as_completed(self, futures: Iterable[Future[T]]) -> Iterator[Future[T]]:
        """In the order given."""
        for future in futures:
            with suppress(JobError):  # the caller asks for the result, and gets it again
                future.result()
            yield future

    def close(self, *, now: bool) -> None:
        """Nothing is held."""

    def raised(self, error: BaseException) -> None:
        """Called with what a job has raised, before it is put into words."""


EXECUTOR = Inline
