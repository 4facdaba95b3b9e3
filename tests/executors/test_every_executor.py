"""What every executor promises, tested of all that are found. No number depends on how cells are run."""

import math
import operator
import sys

import pytest
from numbers_of_results import numbers

import mcmc_bench.executors
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Results
from mcmc_bench.executors import JobError, executor_class, list_executors
from mcmc_bench.experiments.run import run


@pytest.fixture(params=list_executors())
def name(request, monkeypatch):
    """Of an executor, without anybody at its debugger."""
    monkeypatch.setattr("pdb.post_mortem", lambda traceback: None)
    return request.param


def test_it_has_a_sentence_for_the_help(name):
    assert 10 < len(list_executors()[name]) < 120


def test_every_job_gives_its_value(name):
    with executor_class(name)(workers=2) as jobs:
        futures = [jobs.submit(math.sqrt, number) for number in (1.0, 4.0, 9.0)]
        ended = list(jobs.as_completed(futures))
        assert sorted(map(id, ended)) == sorted(map(id, futures))
        assert [future.result() for future in futures] == [1.0, 2.0, 3.0]
        assert [future.result() for future in futures] == [1.0, 2.0, 3.0]  # as often as it is asked for


def test_a_job_that_raises_ends_alone(name):
    with executor_class(name)(workers=1) as jobs:
        wrong, right = jobs.submit(operator.truediv, 1, 0), jobs.submit(operator.truediv, 1, 2)
        assert len(list(jobs.as_completed([wrong, right]))) == 2
        assert right.result() == 0.5
        for _ in range(2):
            with pytest.raises(JobError, match="ZeroDivisionError: division by zero") as caught:
                wrong.result()
            assert caught.value.outcome is Outcome.RAISED


def test_an_error_can_be_stored(name):
    """A file name of another encoding in a message is not UTF-8."""
    with executor_class(name)(workers=1) as jobs, pytest.raises(JobError, match="no attribute") as caught:
        jobs.submit(getattr, 1, "\udce9").result()
    assert r"\udce9" in str(caught.value)
    str(caught.value).encode()


def test_nothing_runs_on_after_an_exception(name):
    with pytest.raises(KeyboardInterrupt):
        interrupted(executor_class(name)(workers=1))


def interrupted(executor):
    with executor as jobs:
        jobs.submit(math.sqrt, 1.0)
        raise KeyboardInterrupt


def test_no_number_depends_on_it(name, small_run, small_suite, tmp_path):
    """`small_run` was made by one executor; every other gives the same to the last bit."""
    found = numbers(run(small_suite, output=tmp_path, executor=name, workers=2))
    assert found == numbers(Results.load(small_run))
    assert len(found) > 50


NEW = '''"""backwards, for this test.

The last job runs first."""
from mcmc_bench.executors.inline import Inline


class Backwards(Inline):
    def as_completed(self, futures):
        return super().as_completed(list(futures)[::-1])


EXECUTOR = Backwards
'''


def test_an_executor_is_one_file(tmp_path, monkeypatch, small_run, small_suite):
    """A file in the folder is found, named in the help, and runs a suite; no other file knows of it."""
    (tmp_path / "backwards.py").write_text(NEW)
    monkeypatch.setattr("mcmc_bench.executors.__path__", [*mcmc_bench.executors.__path__, str(tmp_path)])
    assert list_executors()["backwards"] == "backwards, for this test."
    results = run(small_suite, output=tmp_path / "out", executor="backwards")
    assert numbers(results) == numbers(Results.load(small_run))
    del sys.modules["mcmc_bench.executors.backwards"]
