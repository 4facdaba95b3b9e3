"""Ways of running jobs: a file in this folder is one, its name is what it is called by, its first line what it does.

Such a file holds ``EXECUTOR``, a class derived from `Executor`; there is no list to edit. Must not know what the jobs do.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.spelling import unknown

T = TypeVar("T")


class ExecutorError(ValueError):
    """There is no executor of that name; the message lists those that there are."""


class JobError(RuntimeError):
    """A job that gave no value: it raised, did not end in time, or its process died."""

    def __init__(self, message: str, outcome: Outcome = Outcome.RAISED) -> None:
        super().__init__(message)
        self.outcome = outcome

    @classmethod
    def of(cls, error: BaseException) -> JobError:
        """`error` in words, since its own class may not be loadable in another process."""
        if isinstance(error, JobError):
            return error
        words = f"{type(error).__name__}: {error}"
        return cls(words.encode("utf-8", "backslashreplace").decode())  # results are stored as UTF-8


class Future(ABC, Generic[T]):
    """A job that was submitted."""

    @abstractmethod
    def result(self) -> T:
        """The value of the job, as soon as there is one.

        Raises:
            JobError: it has none; `JobError.outcome` says how the job ended.
        """


class Executor(ABC):
    """Runs jobs; used as a context, which ends what still runs when it is left by an exception.

    Jobs are functions of a module, and their arguments and values are plain data: another process may have to import,
    pickle and unpickle them. Every job has BLAS to itself on one thread, so that its numbers do not depend on where it runs.
    """

    #: Whether jobs run in the caller's process. They may then stop in a debugger, so nothing else should draw on the
    #: terminal; and nothing can end a job that hangs.
    in_this_process: ClassVar[bool] = False

    def __init__(self, workers: int) -> None:
        self.workers = workers

    @abstractmethod
    def submit(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> Future[T]:
        """`function(*arguments)` as a job, ended after `timeout` seconds where the executor can do that."""

    @abstractmethod
    def as_completed(self, futures: Iterable[Future[T]]) -> Iterator[Future[T]]:
        """The futures in the order in which they end; Ctrl-C is answered while they are waited for."""

    @abstractmethod
    def close(self, *, now: bool) -> None:
        """Release what jobs run in: `now`, whether or not some still run, or when all have ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.close(now=kind is not None)


def list_executors() -> dict[str, str]:
    """Name to first line of every executor. Nothing is imported, so that ``--help`` is instant."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        file = Path(module.module_finder.path) / f"{module.name}.py"  # type: ignore[union-attr]
        document = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        found[module.name] = document.partition("\n")[0]
    return found


def executor_class(name: str) -> type[Executor]:
    """The executor called `name`.

    Raises:
        ExecutorError: there is none; the message gives the nearest right spelling.
    """
    names = list(list_executors())
    if name not in names:
        raise ExecutorError(unknown("executor", name, names))
    return importlib.import_module(f"{__name__}.{name}").EXECUTOR
