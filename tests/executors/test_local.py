"""Worker processes: what hangs or crashes ends alone, and what a job raises crosses to the parent in words."""

import os
import signal
import time

import pytest
import threadpoolctl

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.executors import JobError
from mcmc_bench.executors.local import Local
from mcmc_bench.experiments import worker


def test_what_hangs_or_crashes_ends_alone():
    with Local(workers=1) as jobs:
        hangs = jobs.submit(time.sleep, 60, timeout=0.5)
        dies = jobs.submit(os._exit, 3)
        fine = jobs.submit(os.getpid, timeout=60)
        assert list(jobs.as_completed([hangs, dies, fine])) == [hangs, dies, fine]
        for future, outcome, message in (
            (hangs, Outcome.TIMED_OUT, "not finished after 0.5 s"),
            (dies, Outcome.DIED, "its process ended with exit code 3"),
        ):
            with pytest.raises(JobError, match=message) as caught:
                future.result()
            assert caught.value.outcome is outcome
        assert fine.result() != os.getpid()


def test_workers_have_one_thread_each():
    """Also for BLAS, which is loaded by the imports: the limit has to come after them."""
    with Local(workers=1) as jobs:
        jobs.submit(worker._together, [])  # the first job names the module that is imported
        libraries = jobs.submit(threadpoolctl.threadpool_info).result()
    blas = [library["num_threads"] for library in libraries if library["user_api"] == "blas"]
    assert blas
    assert set(blas) == {1}


def test_without_jobs_no_process_is_started():
    with Local(workers=1) as jobs:
        assert list(jobs.as_completed([])) == []
        assert jobs.running == []


def test_a_worker_that_is_killed_while_it_is_idle_costs_nothing():
    """As the kernel does when memory is short."""
    with Local(workers=2) as jobs:
        first = jobs.submit(os.getpid).result()
        os.kill(first, signal.SIGKILL)
        assert jobs.submit(os.getpid).result() != first


def test_a_worker_that_is_killed_before_it_is_ready_costs_nothing():
    with Local(workers=1) as jobs:
        future = jobs.submit(worker._together, [])
        jobs.step()
        (first,) = jobs.running
        assert not first.ready, "its imports take longer than a step"
        first.process.kill()
        assert future.result() == {}


def test_workers_that_never_start_fail_the_job_and_do_not_hang(monkeypatch, capfd):
    with Local(workers=1) as jobs:
        future = jobs.submit(os.getpid)
        jobs.module = "no_such_module_anywhere"
        with pytest.raises(JobError, match="its process ended with exit code 1") as caught:
            future.result()
        assert caught.value.outcome is Outcome.DIED
    assert "no_such_module_anywhere" in capfd.readouterr().err


def test_large_values_and_those_that_cannot_be_pickled():
    with Local(workers=1) as jobs:
        assert len(jobs.submit(bytes, 30_000_000).result()) == 30_000_000
        with pytest.raises(JobError, match="pickle"):
            jobs.submit(open, os.devnull).result()
