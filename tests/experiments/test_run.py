"""Running a suite: what results hold, interrupting, and that no number depends on how."""

import os
import signal
import subprocess
import sys
import time

import pytest
import xarray
from numbers_of_results import numbers

from mcmc_bench.core.results import Results
from mcmc_bench.executors import ExecutorError
from mcmc_bench.experiments import run as running
from mcmc_bench.experiments import worker
from mcmc_bench.experiments.run import run
from mcmc_bench.experiments.suite import load_suite


def test_results_hold_what_they_should(small_run):
    results = Results.load(small_run)
    assert [cell.outcome for cell in results.cells] == ["finished"] * 4
    assert sum(cell.selected for cell in results.cells if cell.sampler == "mala") == 1
    for cell in results.cells:
        assert set(cell.verdicts) >= {"unbiased", "spread", "efficiency"}
        assert cell.cost["sampling_evaluations"] > 0
        assert {row.metric for row in cell.metric_values} <= set(results.definitions)
        draws = results.draws(cell)
        assert draws["position"].shape[2] == 2
        assert draws["position"][..., 0].size <= 2000
    assert set(results.portrait("song_ermon")) >= {"draws", "log_density", "grid_x", "grid_y", "grid_log_density"}
    provenance = results.provenance
    assert provenance["complete"] is True
    for key in (
        "python",
        "versions",
        "processor",
        "workers",
        "engine_hash",
        "seed",
        "suite_text",
        "command",
        "started",
    ):
        assert provenance[key], key
    assert "numba" in provenance["versions"]


def test_stored_draws_follow_arviz_schema(small_run):
    results = Results.load(small_run)
    with xarray.open_datatree(small_run / "draws" / f"{results.cells[0].id}.nc", engine="h5netcdf") as tree:
        assert tree["posterior"]["x"].dims == ("chain", "draw", "dim")
        assert tree["posterior"].sizes["chain"] == 16  # all replicates
        assert {"lp", "acceptance_rate", "diverging"} <= set(tree["sample_stats"])


def test_closed_forms_stand_beside_their_rows(small_run):
    cells = {cell.sampler: cell for cell in Results.load(small_run).cells}
    assert cells["gradient_ascent"].metric("within_mode_variance_ratio").predicted == 0.0
    assert cells["oracle"].metric("within_mode_variance_ratio").predicted == 1.0


def test_no_number_depends_on_the_number_of_workers(small_run, small_suite, tmp_path):
    """`small_run` was made inline; with two workers it is made with every executor in tests/executors."""
    local = run(small_suite, output=tmp_path, executor="local", workers=1)
    assert numbers(local) == numbers(Results.load(small_run))


def test_another_cell_shifts_none(small_run, small_suite, tmp_path):
    more = tmp_path / "more.toml"
    more.write_text(small_suite.read_text().replace('"oracle"]', '"oracle", "ula"]'))
    found = numbers(run(more, output=tmp_path / "out", executor="inline", seed="small"))
    first = numbers(Results.load(small_run))
    assert first.keys() < found.keys()
    assert {key: found[key] for key in first} == first


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(small_suite, tmp_path):
    long = tmp_path / "long.toml"
    steps = ", ".join(str(0.1 + 0.01 * i) for i in range(40))
    long.write_text(small_suite.read_text().replace("0.2, 0.8", steps))
    # A test-suite in the background of a shell has SIGINT ignored, and its children inherit that.
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program = listening + "from mcmc_bench.cli.app import main; main()"
    command = [sys.executable, "-c", program, "run", str(long), "-o", str(tmp_path / "out"), "--no-report"]
    process = subprocess.Popen(
        [*command, "--workers", "1"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "MPLBACKEND": "agg"},
    )
    while process.poll() is None and len(list((tmp_path / "out" / "cells").glob("*.json"))) < 3:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    errors = process.communicate()[1]
    assert process.returncode == 130, errors
    assert "the same command goes on from there" in errors
    partial = Results.load(tmp_path / "out")
    assert partial.provenance["complete"] is False
    assert 3 <= len(partial.cells) < 42
    whole = run(long, output=tmp_path / "out", executor="inline")
    assert whole.provenance["complete"] is True
    assert whole.provenance["resumed"] == len(partial.cells)
    assert len(whole.cells) == 42


def test_ctrl_c_in_this_process_keeps_what_is_finished(small_suite, tmp_path, monkeypatch):
    """Where cells run in the process that is interrupted, it comes from inside a cell."""
    real, calls = worker.figure_draws, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(worker, "figure_draws", interrupted)
    with pytest.raises(running.Interrupted, match="2 of 4 cells are kept"):
        run(small_suite, output=tmp_path, executor="inline")
    assert Results.load(tmp_path).provenance["complete"] is False
    assert run(small_suite, output=tmp_path, executor="inline").provenance["resumed"] == 2


def test_an_unknown_executor_is_said_before_anything_runs(small_suite, tmp_path):
    with pytest.raises(ExecutorError, match="unknown executor: 'inlime'; did you mean 'inline'"):
        run(small_suite, output=tmp_path / "out", executor="inlime")
    assert not (tmp_path / "out").exists()


def test_workers_must_be_positive(small_suite, tmp_path):
    with pytest.raises(ValueError, match="workers = 0 must be at least 1"):
        run(small_suite, output=tmp_path, workers=0)


def test_a_script_needs_no_main_guard(small_suite, tmp_path, python):
    """A spawned worker would run the caller's script again, and that one another."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import mcmc_bench\nresults = mcmc_bench.run({str(small_suite)!r}, output={str(tmp_path / 'out')!r})\n"
        "print(len(results.cells))\n"
    )
    assert python(script).split() == ["4"]


def test_a_loaded_suite_takes_the_seed_that_is_given(small_suite, tmp_path):
    given = run(load_suite(small_suite), output=tmp_path / "a", seed="other", executor="inline")
    read = run(small_suite, output=tmp_path / "b", seed="other", executor="inline")
    assert given.provenance["seed"] == "other"
    assert numbers(given) == numbers(read)
