"""One cell: which replicates are reported, and what it says of tuning."""

import numpy as np
import pytest

from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.results import Results
from mcmc_bench.experiments import worker
from mcmc_bench.experiments.keys import cell_key
from mcmc_bench.experiments.run import run
from mcmc_bench.experiments.suite import load_suite


def test_settings_are_chosen_on_replicates_that_are_not_reported(small_suite, monkeypatch):
    """Power: were the pilots the reported draws, the two would be equal."""
    seen = []
    monkeypatch.setattr(worker.metrics, "selection_score", lambda pilots, target: seen.append(pilots) or 0.0)
    monkeypatch.setattr(
        worker.metrics, "evaluate_cell", lambda replicates, *rest, **named: seen.append(replicates) or ([], {})
    )
    plan = load_suite(small_suite).cells[0]
    worker.run_cell(plan, cell_key(plan, worker.identify(plan, Folders()), Folders())[0], Folders(), keep_draws=False)
    reported, pilots = seen
    assert len(reported) == 2
    assert len(pilots) == 1
    for draws in reported:
        assert not np.array_equal(draws.position, pilots[0].position)
        assert not np.array_equal(draws.start, pilots[0].start)
    assert not np.array_equal(reported[0].position, reported[1].position)


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
