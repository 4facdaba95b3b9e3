"""In this process: what a person who debugs relies on, and that jobs find BLAS as they do in a worker process."""

import operator
import os

import numpy as np
import pytest
import threadpoolctl

from mcmc_bench.executors import JobError
from mcmc_bench.executors.debug import Debug
from mcmc_bench.executors.inline import Inline


def blas_threads():
    """Of every BLAS that is loaded."""
    np.eye(2) @ np.eye(2)
    return {library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"}


def interrupt():
    raise KeyboardInterrupt


def leave():
    raise SystemExit(3)


@pytest.mark.parametrize("executor", [Inline, Debug])
def test_jobs_run_here_and_one_after_the_other(executor):
    done = []
    with executor(workers=2) as jobs:
        futures = [jobs.submit(done.append, number) for number in range(3)]
        assert done == [], "nothing runs before it is asked for, so that every end can be stored before the next begins"
        for count, _ in enumerate(jobs.as_completed(futures), 1):
            assert len(done) == count
        assert jobs.submit(os.getpid).result() == os.getpid()


def test_blas_has_one_thread_within_a_job_and_as_many_as_before_after_it():
    before = blas_threads()
    with Inline(workers=2) as jobs:
        assert jobs.submit(blas_threads).result() == {1}
    assert blas_threads() == before


def test_an_error_has_its_own_traceback_as_its_cause():
    with Inline(workers=1) as jobs, pytest.raises(JobError, match="ZeroDivisionError") as caught:
        jobs.submit(operator.truediv, 1, 0).result()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.__cause__.__traceback__ is not None


def test_ctrl_c_ends_the_run_and_an_exit_only_the_job():
    with Inline(workers=1) as jobs:
        with pytest.raises(KeyboardInterrupt):
            list(jobs.as_completed([jobs.submit(interrupt)]))
        with pytest.raises(JobError, match="SystemExit: 3"):
            jobs.submit(leave).result()


def test_debug_stops_once_where_a_job_raises(monkeypatch, capsys):
    stops = []
    monkeypatch.setattr("pdb.post_mortem", stops.append)
    with Debug(workers=1) as jobs:
        wrong = jobs.submit(failing, 0)
        for _ in jobs.as_completed([wrong, jobs.submit(failing, 1)]):
            pass
        with pytest.raises(JobError):
            wrong.result()
    (traceback,) = stops
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback.tb_frame.f_code.co_name == "failing"
    assert "ZeroDivisionError" in capsys.readouterr().err


def failing(number):
    return 1 / number
