"""worker processes of this machine: a job that hangs or crashes ends alone.

The processes start from any script and leave Ctrl-C to their parent. Each has a pipe of its own, so that one that is
killed, at work or idle, takes no other with it. Must not know what the jobs do.
"""

from __future__ import annotations

import importlib
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, Generic

import threadpoolctl

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.executors import Executor, Future, JobError, T

#: Sent by a worker that is ready, and when it begins a job. No answer is empty.
NEWS = b""
#: Seconds after which a wait for workers is interrupted, to look for those whose time is up.
TICK = 0.2
#: Seconds that a process which is dying gets to say why, and to leave its own exit code.
PATIENCE = 5.0
#: Processes that may end one after the other before they are ready, until jobs are given up.
FAILED_STARTS = 3


class _Process(SpawnProcess):
    def start(self) -> None:
        """Start with neither the caller's script nor an open ear for Ctrl-C."""
        # A spawned process runs the caller's script again: without its `if __name__ == "__main__"` that never ends, and
        # a program read from standard input cannot be found. The work is imported by name and needs no script.
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


# ------------------------------------------------------------ in the worker


def _work(connection: Connection, module: str) -> None:
    """Run the jobs that come through `connection`, until it is closed."""
    importlib.import_module(module)  # before the first job, whose time is limited
    # There is a worker for each processor; and the last bits of a product depend on the number of threads. Only what is
    # loaded can be limited, so this comes after the imports.
    threadpoolctl.threadpool_limits(limits=1)
    connection.send_bytes(NEWS)  # ready
    with suppress(EOFError, OSError):  # the parent is no longer there
        while True:
            job = connection.recv_bytes()
            connection.send_bytes(NEWS)  # begun
            connection.send_bytes(_answer(job))


def _answer(job: bytes) -> bytes:
    """The pickled value of a pickled job, or a JobError.

    The exception itself must not reach the parent, which may not be able to load its class.
    """
    try:
        function, arguments = pickle.loads(job)  # noqa: S301 - from our own parent
        return pickle.dumps(function(*arguments))
    except BaseException as error:  # noqa: BLE001 - whatever it is, SystemExit too, it ends here
        return pickle.dumps(JobError.of(error))


# ------------------------------------------------------------ in the parent


class _Job(Future[T], Generic[T]):
    """A job that waits, runs or has ended."""

    def __init__(self, executor: Local, content: bytes, timeout: float | None) -> None:
        self.executor, self.content, self.timeout = executor, content, timeout
        self.answer: T | JobError | None = None
        self.ended = False

    def end(self, answer: T | JobError) -> None:
        self.answer, self.ended = answer, True

    def result(self) -> T:
        while not self.ended:
            self.executor.step()
        if isinstance(self.answer, JobError):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # None is a value too


class _Worker:
    """A process and what it is doing."""

    def __init__(self, module: str) -> None:
        context = _Context()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, module))
        self.process.start()
        theirs.close()  # so that ours ends when the process does
        self.ready = False
        self.job: _Job[Any] | None = None
        self.begun = False
        self.deadline = float("inf")

    def hand(self, job: _Job[Any]) -> None:
        """Send it a job."""
        self.job, self.begun = job, False
        with suppress(OSError):  # if it has just died, that is seen when it is listened to
            self.connection.send_bytes(job.content)

    def tell(self) -> None:
        """It is ready, or has begun its job."""
        if not self.ready:
            self.ready = True
        elif self.job is not None:
            self.begun = True
            self.deadline = float("inf") if self.job.timeout is None else time.monotonic() + self.job.timeout

    def take_job(self) -> _Job[Any] | None:
        """Its job, which it no longer has."""
        job, self.job, self.deadline = self.job, None, float("inf")
        return job

    def end(self, *, patience: float = 0.0) -> int | None:
        """End the process, unless it ends by itself within `patience` seconds. Returns its exit code."""
        self.connection.close()
        self.process.join(patience)
        self.process.kill()
        self.process.join()
        return self.process.exitcode


class Local(Executor):
    """Worker processes, started when there are jobs for them; the parent is one thread."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.module = ""
        self.waiting: deque[_Job[Any]] = deque()
        self.running: list[_Worker] = []
        self.failed_starts = 0

    def submit(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> Future[T]:
        """As in `Executor`. Workers have imported the module of the first job's function before they begin."""
        self.module = self.module or function.__module__
        job = _Job[T](self, pickle.dumps((function, arguments)), timeout)
        self.waiting.append(job)
        return job

    def as_completed(self, futures: Iterable[Future[T]]) -> Iterator[Future[T]]:
        """As in `Executor`."""
        left = [future for future in futures if isinstance(future, _Job)]
        while left:
            ended = [job for job in left if job.ended]
            left = [job for job in left if not job.ended]
            yield from ended
            if not ended:
                self.step()

    def close(self, *, now: bool) -> None:
        """End the workers."""
        while not now and (self.waiting or any(worker.job is not None for worker in self.running)):
            self.step()
        for worker in self.running:
            worker.end()
        self.running.clear()

    def step(self) -> None:
        """Hand out jobs, and wait a moment for one to end."""
        self._hand_out()
        by_handle: dict[Any, _Worker] = {}
        for worker in self.running:
            by_handle[worker.connection] = by_handle[worker.process.sentinel] = worker
        next_deadline = min((worker.deadline for worker in self.running), default=float("inf"))
        heard = wait(list(by_handle), timeout=max(0.0, min(TICK, next_deadline - time.monotonic())))
        for worker in {id(by_handle[handle]): by_handle[handle] for handle in heard}.values():
            self._listen(worker)
        for worker in [one for one in self.running if one.deadline <= time.monotonic()]:
            self._remove(worker)
            if (job := worker.take_job()) is not None:
                job.end(JobError(f"not finished after {job.timeout:g} s", Outcome.TIMED_OUT))
        self._hand_out()  # before the caller goes on: workers are not to wait for what it does with a result

    def _hand_out(self) -> None:
        for worker in self.running:
            if self.waiting and worker.ready and worker.job is None:
                worker.hand(self.waiting.popleft())
        starting = sum(not worker.ready for worker in self.running)
        while len(self.running) < self.workers and len(self.waiting) > starting:
            self.running.append(_Worker(self.module))
            starting += 1

    def _listen(self, worker: _Worker) -> None:
        try:
            if not worker.connection.poll():
                raise EOFError  # noqa: TRY301 - the process has ended and left nothing to read
            content = worker.connection.recv_bytes()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if content == NEWS:
            worker.tell()
            self.failed_starts = 0
        elif (job := worker.take_job()) is not None:
            self._answer(job, content)

    @staticmethod
    def _answer(job: _Job[Any], content: bytes) -> None:
        try:
            job.end(pickle.loads(content))  # noqa: S301 - from our own worker
        except Exception as error:  # noqa: BLE001 - a value of a class that only the worker can load
            job.end(JobError.of(error))

    def _bury(self, worker: _Worker) -> None:
        """A worker has died: it costs the job that it had begun, or the next one where no worker gets ready."""
        code = self._remove(worker, patience=PATIENCE)
        job = worker.take_job()
        if job is not None and not worker.begun:
            self.waiting.appendleft(job)
            job = None
        if not worker.ready:
            self.failed_starts += 1
            if self.failed_starts >= FAILED_STARTS and self.waiting:
                job = self.waiting.popleft()
        if job is not None:
            job.end(JobError(f"its process ended with exit code {code}", Outcome.DIED))

    def _remove(self, worker: _Worker, *, patience: float = 0.0) -> int | None:
        self.running.remove(worker)
        return worker.end(patience=patience)


EXECUTOR = Local
