"""Is what the catalogue says of its targets true? One Holm family; and each kind of planted error is found.

A catalogue that is right fails with probability 0.001 (`calibration.ALPHA`).
"""

import textwrap

import pytest
from typer.testing import CliRunner

from mcmc_bench import run
from mcmc_bench.catalog.files import list_targets, load_target, suite_files
from mcmc_bench.checks.truth.calibration import calibrate
from mcmc_bench.cli.app import app

SUITE = """
    [suite]
    title = "calibration"
    [[experiment]]
    name = "calibration"
    budget = 500
    warmup_share = 0.0
    chains = 4
    replicates = {replicates}
    max_draws = 500
    metrics = ["cost", "accuracy"]
    targets = [{targets}]
    samplers = ["oracle"]
"""


def calibrated(folder, targets, *, replicates=40, targets_folder=None):
    text = SUITE.format(replicates=replicates, targets=", ".join(f'"{name}"' for name in targets))
    (folder / "calibration.toml").write_text(textwrap.dedent(text))
    return run(folder / "calibration.toml", output=folder / "out", targets_folder=targets_folder, executor="inline")


@pytest.mark.long
def test_the_suite_catalogue_finishes_and_every_exact_target_is_calibrated(tmp_path):
    """All targets × {oracle, MALA, HMC}, the survey with a tenth of its budget and one replicate; the calibration with a fifth
    of its draws, which tells an error of 0.05 in any share.
    """
    text = suite_files()["catalogue"].read_text(encoding="utf-8")
    for old, new in (
        ("budget = 2000", "budget = 200"),
        ("budget = 1000", "budget = 200"),
        ("tuning = 500", "tuning = 50"),
        ("replicates = 4\n", "replicates = 1\n"),
        ("chains = 16", "chains = 4"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (tmp_path / "catalogue.toml").write_text(text, encoding="utf-8")
    results = run(tmp_path / "catalogue.toml", output=tmp_path / "out")
    survey = {(cell.target, cell.sampler): cell.outcome for cell in results.cells if cell.experiment == "survey"}
    assert set(survey) == {(name, sampler) for name in list_targets() for sampler in ("oracle", "mala", "hmc")}
    without = {name for name in list_targets() if load_target(name).draw_exact is None}
    for (target, sampler), outcome in survey.items():
        expected = "not applicable" if sampler == "oracle" and target in without else "finished"
        assert outcome == expected, f"{sampler} on {target}: {outcome}"
    found = calibrate(results)
    assert {one.target for one in found} == set(list_targets()) - without
    assert len(found) >= 20
    assert not [one for one in found if not one.passed]
    assert max(one.resolution for one in found) < 0.05
    assert all(one.replicates == 48 for one in found)


PLANTED = """
    import dataclasses
    import numpy as np
    from mcmc_bench.catalog.files import load_target

    def build():
        target = load_target("{name}")
        truth, draw = target.truth, target.draw_exact
        return dataclasses.replace(target, {change})
"""
ERRORS = {
    "draws a twentieth too wide": ("gaussian", "draw_exact=lambda generator, n: 1.05 * draw(generator, n)"),
    "quantiles of another variance": (
        "student_t",
        "truth=dataclasses.replace(truth, quantiles=1.08 * truth.quantiles)",
    ),
    "one coordinate shifted": (
        "neal_funnel",
        "draw_exact=lambda generator, n: draw(generator, n) + 0.2 * (np.arange(10) == 0)",
    ),
    "log p of one dimension more": (
        "banana",
        "truth=dataclasses.replace(truth, log_density_quantiles=truth.log_density_quantiles - 0.4)",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
def test_a_planted_error_is_found_among_true_targets(tmp_path, error):
    name, change = ERRORS[error]
    (tmp_path / "planted.py").write_text(textwrap.dedent(PLANTED.format(name=name, change=change)))
    results = calibrated(tmp_path, ["planted", "gaussian", "cauchy"], targets_folder=tmp_path)
    found = {one.target: one.passed for one in calibrate(results)}
    assert found == {"planted": False, "gaussian": True, "cauchy": True}
    outcome = CliRunner().invoke(app, ["calibrate", str(tmp_path / "out")])
    assert outcome.exit_code == 1
    assert "2 of 3 targets pass" in outcome.output


def test_results_without_an_oracle_are_named(tmp_path):
    results = calibrated(tmp_path, ["gaussian"], replicates=1)
    with pytest.raises(ValueError, match="mcmc-bench run catalogue"):
        calibrate(results)
