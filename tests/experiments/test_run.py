"""Running a suite: outcomes of cells that go wrong, resuming, interrupting, and that no number depends on how."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray

from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.results import Results
from mcmc_bench.executors import ExecutorError
from mcmc_bench.experiments import checkpoints, worker
from mcmc_bench.experiments import run as running
from mcmc_bench.experiments.run import run
from mcmc_bench.experiments.suite import load_suite

SECONDS = ("seconds", "compile")


def numbers(results):
    """All rows of all cells that are not times."""
    return {
        (cell.target, cell.sampler, str(cell.settings), row.metric): (row.value, row.low, row.high, row.floor)
        for cell in results.cells
        for row in cell.metric_values
        if not any(word in row.metric for word in SECONDS)
    }


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


def test_what_is_finished_is_not_run_again(small_suite, tmp_path, monkeypatch):
    first = run(small_suite, output=tmp_path, executor="inline")
    with monkeypatch.context() as patch:
        for job in ("compile_cell", "run_cell"):
            patch.setattr(worker, job, None)
        again = run(small_suite, output=tmp_path, executor="inline")
    assert again.provenance["resumed"] == 4
    assert numbers(again) == numbers(first)
    # A half-written checkpoint, one of another shape, a lost figure: those three cells and no others.
    (tmp_path / "cells" / f"{first.cells[0].id}.json").write_text('{"id": ')
    (tmp_path / "draws" / f"{first.cells[1].id}.npz").unlink()
    (tmp_path / "cells" / f"{first.cells[2].id}.json").write_text('{"metric_values": [], "verdicts": []}')
    resumed = run(small_suite, output=tmp_path, executor="inline")
    assert resumed.provenance["resumed"] == 1
    assert numbers(resumed) == numbers(first)
    assert run(small_suite, output=tmp_path, executor="inline", fresh=True).provenance["resumed"] == 0


def test_files_of_other_settings_go_when_a_run_is_complete(small_suite, tmp_path):
    run(small_suite, output=tmp_path, executor="inline")
    other = tmp_path / "small.toml"
    other.write_text(small_suite.read_text().replace("0.2, 0.8", "0.2, 0.9"))
    results = run(other, output=tmp_path, executor="inline")
    assert results.provenance["resumed"] == 3
    assert {file.stem for file in (tmp_path / "draws").iterdir()} == {cell.id for cell in results.cells}
    assert {file.stem for file in (tmp_path / "cells").iterdir()} == {cell.id for cell in results.cells}


def test_settings_are_chosen_on_replicates_that_are_not_reported(small_suite, monkeypatch):
    """Power: were the pilots the reported draws, the two would be equal."""
    seen = []
    monkeypatch.setattr(worker.metrics, "selection_score", lambda pilots, target: seen.append(pilots) or 0.0)
    monkeypatch.setattr(
        worker.metrics, "evaluate_cell", lambda replicates, *rest, **named: seen.append(replicates) or ([], {})
    )
    worker.run_cell(load_suite(small_suite).cells[0], "id", Folders(), keep_draws=False)
    reported, pilots = seen
    assert len(reported) == 2
    assert len(pilots) == 1
    for draws in reported:
        assert not np.array_equal(draws.position, pilots[0].position)
        assert not np.array_equal(draws.start, pilots[0].start)
    assert not np.array_equal(reported[0].position, reported[1].position)


TARGET = """
import os
import numpy as np
from mcmc_bench.core.target import Target, point_density

@point_density
def log_density(x, gradient, data):
    gradient[0] = -x[0]
    while data[0] > 0.0:  # for ever
        data[0] += 1.0
    return -0.5 * x[0] ** 2

def draw(generator, n):
    {draw}
    return generator.standard_normal((n, 1))

def build():
    return Target(dim=1, density=log_density, data=np.array([{loops}]), draw_dispersed=draw, one_point=np.zeros(1))
"""

BAD = """
[suite]
title = "Bad"
budget = 50
chains = 4
replicates = 2
time_limit = {limit}
metrics = ["cost", "modes"]

[[experiment]]
name = "main"
targets = {targets}
samplers = ["mala", "oracle"]
"""


def test_a_bad_cell_costs_one_cell(tmp_path):
    """Raising, dying, never coming back, not finite at the start: each its outcome, and the rest goes on."""
    folder = tmp_path / "targets"
    folder.mkdir()
    for name, draw, loops in (
        ("fine", "", "0.0"),
        ("raises", 'raise RuntimeError("no starts today")', "0.0"),
        ("dies", "os._exit(3)", "0.0"),
        ("loops", "", "1.0"),
        ("leaves", "return np.full((n, 1), np.nan)", "0.0"),
    ):
        (folder / f"{name}.py").write_text(TARGET.format(draw=draw, loops=loops))
    suite = tmp_path / "bad.toml"
    names = ["fine", "raises", "dies", "loops", "leaves"]
    suite.write_text(BAD.format(limit=4, targets=json.dumps(names)))
    results = run(suite, output=tmp_path / "out", targets_folder=folder, workers=2)
    found = {(cell.target, cell.sampler): cell for cell in results.cells}
    assert {name: found[name, "mala"].outcome for name in names} == {
        "fine": "finished",
        "raises": "raised",
        "dies": "died",
        "loops": "timed out",
        "leaves": "raised",
    }
    assert "no starts today" in found["raises", "mala"].message
    assert "exit code 3" in found["dies", "mala"].message
    assert "not finished after 4 s" in found["loops", "mala"].message
    assert "not finite at the start" in found["leaves", "mala"].message
    assert {found[name, "oracle"].outcome for name in names} == {"not applicable"}
    assert Results.load(tmp_path / "out").to_json() == results.to_json()


RUDE = """
import os
import signal
import sys
import numpy as np
from mcmc_bench.core.target import Target, point_density

class Own(Exception):
    def __init__(self, text, number):  # cannot be unpickled
        super().__init__(text)

@point_density
def log_density(x, gradient, data):
    gradient[0] = -x[0]
    return -0.5 * x[0] ** 2

def own(): raise Own("of its own class", 2)
def local(): raise type("Local", (Exception,), {})("of no module")
def leave(): sys.exit("good-bye")
def late(): raise TimeoutError("its own, not ours")
def crash(): os.kill(os.getpid(), signal.SIGSEGV)

def build(does=("nothing",)):
    def draw(generator, n):
        globals().get(does[0], list)()
        return generator.standard_normal((n, 1))
    return Target(dim=1, density=log_density, data=np.zeros(1), draw_dispersed=draw, one_point=np.zeros(1))
"""


def test_nothing_that_a_target_does_ends_the_run(tmp_path):
    """Exceptions that cannot cross a process, SystemExit, a crash; and a parameter may be a list."""
    (tmp_path / "rude.py").write_text(RUDE)
    targets = [{"does": [what]} for what in ("own", "local", "leave", "late", "crash", "nothing")]
    entries = ", ".join(f'{{ name = "rude", does = {json.dumps(target["does"])} }}' for target in targets)
    suite = tmp_path / "rude.toml"
    suite.write_text(BAD.format(limit=30, targets=f"[{entries}]").replace(', "oracle"', ""))
    results = run(suite, output=tmp_path / "out", targets_folder=tmp_path, workers=2)
    assert [(cell.outcome, cell.message) for cell in results.cells] == [
        ("raised", "Own: of its own class"),
        ("raised", "Local: of no module"),
        ("raised", "SystemExit: good-bye"),
        ("raised", "TimeoutError: its own, not ours"),
        ("died", "its process ended with exit code -11"),
        ("finished", ""),
    ]


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


def test_ctrl_c_between_storing_a_cell_and_counting_it(small_suite, tmp_path, monkeypatch):
    def store(file, content):
        write_atomically(file, content)
        if file.parent.name == "cells":
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write_atomically", store)
    with pytest.raises(running.Interrupted, match="1 of 4 cells are kept"):
        run(small_suite, output=tmp_path, executor="inline")
    assert len(Results.load(tmp_path).cells) == 1


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


@pytest.mark.parametrize("fresh", [False, True])
def test_files_of_ones_own_are_never_removed(small_suite, tmp_path, fresh):
    """The output folder may be anyone's: a folder of targets in it, or files beside the cells, stay."""
    own = [tmp_path / "targets" / "mine.py", tmp_path / "draws" / "mine.npz", tmp_path / "cells" / "notes.json"]
    for file in own:
        file.parent.mkdir(exist_ok=True)
        file.write_text("precious")
    made = tmp_path / "draws" / "0123456789ab.npz"  # of a cell of other settings
    made.write_text("")
    run(small_suite, output=tmp_path, executor="inline", fresh=fresh)
    assert [file.read_text() for file in own] == ["precious"] * 3
    assert not made.exists()  # power: what runs have made does go


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


def test_tuned_cells_say_what_was_tuned_and_what_it_cost(tmp_path):
    file = tmp_path / "tuned.toml"
    file.write_text(
        """
        [suite]
        title = "Tuned"
        budget = 600
        tuning = 300
        chains = 8
        replicates = 2
        metrics = ["cost", "accuracy", "diagnostics"]
        [[experiment]]
        name = "tuned"
        targets = [{ name = "gaussian", dim = 3 }]
        samplers = ["oracle", "mala", { name = "mala", step_size = 0.2 }, "nuts"]
        """
    )
    results = run(load_suite(file), output=tmp_path / "out", executor="inline")
    oracle, tuned, fixed, nuts = results.cells
    assert [cell.outcome for cell in results.cells] == ["finished"] * 4
    assert oracle.tuning == 0
    assert oracle.tuned == fixed.tuned == {}
    assert len(tuned.tuned["step_size"]) == 2
    assert tuned.tuned["step_size"][0] != tuned.tuned["step_size"][1]  # every replicate is tuned for itself
    for cell in (tuned, fixed, nuts):
        assert 300 <= cell.value("tuning_evaluations") <= 400
        assert cell.value("evaluations") == pytest.approx(900, rel=0.15)
    assert fixed.settings["step_size"] == 0.2
    assert Results.load(tmp_path / "out").cells[1].tuned == tuned.tuned


TUNES_ITSELF = """
import numpy as np

from mcmc_bench.core.sampler import Sampler


def draw(target, generator, start, draws, settings):
    target.log_density_and_gradient(start)
    {tuning}
    target.log_density_and_gradient(start)
    return generator.standard_normal((draws, *start.shape))


SAMPLER = Sampler(kind="exact", description="independent draws of N(0, I)", source="none", draw=draw)
"""


@pytest.mark.parametrize(("tuning", "expected"), [('target.ends("tuning")', True), ("", False)])
def test_a_sampler_that_tunes_itself_says_so(tuning, expected, tmp_path):
    (tmp_path / "own.py").write_text(TUNES_ITSELF.format(tuning=tuning))
    (tmp_path / "own.toml").write_text(
        '[suite]\ntitle = "t"\ndescription = "d"\nbudget = 50\nchains = 4\nreplicates = 2\n'
        '[[experiment]]\nname = "e"\ntitle = "e"\ntargets = ["gaussian"]\nsamplers = ["own", "mala"]\n'
    )
    results = run(
        str(tmp_path / "own.toml"), output=tmp_path / "out", samplers_folder=tmp_path / "own.py", executor="inline"
    )
    assert {cell.sampler: cell.tunes_itself for cell in results.cells} == {"own": expected, "mala": False}
    assert {cell.sampler: cell.tunes_itself for cell in Results.load(tmp_path / "out").cells}["own"] == expected


def test_a_replicate_that_was_not_tuned_to_the_end_costs_no_cell():
    """Scales come last: preconditioned ULA on stochastic_volatility had them in some replicates, and raised."""
    each = [{"step_size": 0.1}, {"step_size": 0.2, "ratio_of_scales": 3.0}, {}]
    assert worker._together(each) == {"step_size": [0.1, 0.2], "ratio_of_scales": [3.0]}
