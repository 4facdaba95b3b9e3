"""The gate from end to end: a baseline is recorded, equal code passes, faults do not, and the commands say so."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from comparison import made_up
from typer.testing import CliRunner

import mcmc_bench.samplers
from mcmc_bench.cli.app import app
from mcmc_bench.comparison import Comparison, Rule
from mcmc_bench.core.results import Results, ResultsError
from mcmc_bench.executors import JobError
from mcmc_bench.experiments import gate as gate_module
from mcmc_bench.experiments.gate import accept, gate, history_of, record_baseline

SUITE = """
[suite]
title = "Gate"
budget = 800
chains = 16
replicates = 24
metrics = ["cost"]

[[experiment]]
name = "keeps"
start = "exact"
targets = [{ name = "gaussian", dim = 5 }]
samplers = [{ name = "mala", step_size = 0.4 }, { name = "ula", step_size = 0.2 }, "oracle"]
"""
#: A right sampler and what a fault makes of it.
RIGHT = (Path(mcmc_bench.samplers.__path__[0]) / "mala.py").read_text()
ACCEPT = "if generator.random() < statistics[chain, ACCEPTANCE]:"
FAULTS = {
    "uncorrected": (ACCEPT, "if generator.random() >= 0.0:"),
    "sign": ("(forward - backward)", "(backward - forward)"),
    "never moves": (ACCEPT, "if generator.random() < 0.0:"),
    "counts twice": (
        "    difference = noise",
        "    evaluate(target, data, scratch[1], proposal_log_density, scratch[2], evaluations)\n    difference = noise",
    ),
}


def call(*arguments):
    """Exit code, standard output, standard error."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def faulty(folder, name):
    right, wrong = FAULTS[name]
    assert RIGHT.count(right) == 1
    folder.mkdir(exist_ok=True)
    (folder / "mala.py").write_text(RIGHT.replace(right, wrong))
    return folder / "mala.py"


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    file = tmp_path_factory.mktemp("gate suite") / "mine.toml"
    file.write_text(SUITE)
    return file


@pytest.fixture(scope="module")
def baseline(suite, tmp_path_factory):
    """Recorded by the command."""
    file = tmp_path_factory.mktemp("baseline") / "mine.json"
    code, out, _ = call("baseline", suite, "-o", file, "--executor", "inline")
    assert code == 0
    assert "baseline: " in out
    assert sorted(path.name for path in file.parent.iterdir()) == ["mine.json"], "what it was made from is gone"
    return file


@pytest.fixture(scope="module")
def passed(suite, baseline, tmp_path_factory):
    """The results folder of equal code that went through the gate."""
    folder = tmp_path_factory.mktemp("gate") / "out"
    code, out, err = call(
        "gate", suite, "--baseline", baseline, "-o", folder, "--executor", "inline", "--html", folder / "c.html"
    )
    assert code == 0, out + err
    assert "Pass: 3 of 3 cells are still right" in out
    return folder


def test_a_baseline_has_more_replicates_and_a_seed_of_its_own(baseline, passed):
    recorded, run = Results.load(baseline), Results.load(passed)
    assert {cell.evidence[0].replicates for cell in recorded.cells} == {96}
    assert {cell.match for cell in recorded.cells} == {cell.match for cell in run.cells}
    assert recorded.provenance["seed"] != run.provenance["seed"]
    assert not any(cell.curves for cell in recorded.cells)


def test_equal_code_passes_and_says_what_it_would_have_seen(baseline, passed):
    """Comparing what the gate left gives what the gate said; the page is there."""
    assert (passed / "c.html").stat().st_size > 10_000
    code, out, _ = call("compare", baseline, passed, "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["stages"] == 3
    assert found["verdict"] == "pass"
    for cell in found["cells"]:
        correctness = next(one for one in cell["findings"] if one["question"] == "correctness")
        assert 0 < correctness["resolution"] < 0.2
    jsonschema.validate(found, Comparison.schema())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "question"),
    [("uncorrected", "correctness"), ("sign", "correctness"), ("never moves", "ran"), ("counts twice", "evaluations")],
)
def test_a_fault_is_a_regression(suite, baseline, tmp_path, fault, question):
    file = faulty(tmp_path / "samplers", fault)
    found = gate(suite, baseline, output=tmp_path / "out", samplers_folder=file, executor="inline")
    assert found.verdict == "regression"
    (cell,) = (cell for cell in found.cells if cell.verdict == "regression")
    assert cell.sampler == "mala"
    assert cell.finding(question).verdict == "regression"


def test_cells_that_are_not_decided_are_extended(suite, baseline, tmp_path):
    """With few replicates and a strict tolerance the first stage cannot see enough; the evidence of the others is stored."""
    found = gate(
        suite, baseline, Rule(resolution=0.05), output=tmp_path / "out", replicate_factor=0.5, executor="inline"
    )
    stages = [len(cell.evidence) for cell in Results.load(tmp_path / "out").cells]
    assert max(stages) > 1
    for cell, count in zip(Results.load(tmp_path / "out").cells, stages, strict=True):
        assert [evidence.replicates for evidence in cell.evidence] == [12, 48, 48][:count]
        shares = [evidence.indicators.mean for evidence in cell.evidence]
        assert all(shares[0] != other for other in shares[1:]), "each stage has draws of its own"
    assert found.verdict == "pass"


def test_where_the_mean_is_not_decided_all_its_cells_are_extended():
    """Each cell alone may have enough evidence for its own, wider margin."""
    decided, unmeasured = made_up.cell("pass", match="a" * 12), made_up.cell("not measured", match="b" * 12)
    mean = made_up.finding("inconclusive")
    assert gate_module._undecided(made_up.comparison(decided, unmeasured)) == set()
    assert gate_module._undecided(made_up.comparison(decided, unmeasured, overall=(mean,))) == {"a" * 12}


def test_what_cannot_be_extended_is_said(suite, baseline, tmp_path, monkeypatch):
    monkeypatch.setattr(
        gate_module, "extend", lambda suite, matches, **named: dict.fromkeys(matches, JobError("broke today"))
    )
    found = gate(
        suite, baseline, Rule(resolution=0.05), output=tmp_path / "out", replicate_factor=0.5, executor="inline"
    )
    assert found.verdict == "regression"
    assert "broke today" in found.summary[0]


def test_a_baseline_is_not_overwritten(suite, baseline):
    before = baseline.read_bytes()
    code, _, err = call("baseline", suite, "-o", baseline)
    assert code == 2
    assert "--accept" in err
    assert baseline.read_bytes() == before
    assert len(err.strip().splitlines()) == 1


def test_accepting_replaces_the_baseline_and_keeps_a_history(suite, baseline, passed, tmp_path):
    file = Path(shutil.copy(baseline, tmp_path / "mine.json"))
    for count in (1, 2):
        code, out, err = call("compare", file, passed, "--accept")
        assert code == 0
        assert "Pass" in out, "what changes is shown first"
        assert "accepted" in err
        lines = [json.loads(line) for line in history_of(file).read_text().splitlines()]
        assert len(lines) == count
        history_of(file).write_text(history_of(file).read_text().rstrip())  # as some editors leave it
    assert Results.load(file).cells[0].id == Results.load(passed).cells[0].id
    assert {cell["label"] for cell in lines[0]["cells"].values()} >= {
        "ula(step_size=0.2) on gaussian(dim=5), exact start"
    }
    code, out, _ = call("history", history_of(file), "-o", tmp_path / "page")
    assert code == 0
    assert (tmp_path / "page" / "history.html").stat().st_size > 5000


def test_a_folder_is_no_baseline_to_replace(passed):
    before = (passed / "results.json").read_bytes()
    code, _, err = call("compare", passed, passed, "--accept")
    assert code == 2
    assert "is not a file" in err
    assert (passed / "results.json").read_bytes() == before


@pytest.mark.parametrize("command", ["compare", "gate"])
def test_a_missing_baseline_is_exit_code_3(command, suite, passed, tmp_path):
    arguments = (
        ("compare", tmp_path / "no.json", passed)
        if command == "compare"
        else ("gate", suite, "--baseline", tmp_path / "no.json")
    )
    code, out, err = call(*arguments)
    assert code == 3
    assert "no such baseline; record one with: mcmc-bench baseline" in err
    assert not out
    assert list(tmp_path.iterdir()) == [], "nothing was run"


def test_nothing_in_common_is_exit_code_3(baseline, small_run):
    code, _, err = call("compare", baseline, small_run)
    assert code == 3
    assert "no cell in common" in err


def test_inconclusive_is_what_the_caller_says(baseline, passed):
    """A tolerance that no run of this size reaches."""
    strict = ("compare", baseline, passed, "--resolution", "0.0001")
    assert call(*strict)[0] == 4
    assert call(*strict, "--inconclusive", "pass")[0] == 0
    assert call(*strict, "--inconclusive", "fail")[0] == 1


WRONG = {
    "empty": "",
    "no JSON": "<xml>",
    "a list": "[1, 2]",
    "old": '{"schema_version": 1, "cells": []}',
    "NaN": '{"schema_version": NaN}',
    "deep": "[" * 100_000,
    "not a cell": '{"schema_version": 2, "cells": [3]}',
    "hostile": '{"schema_version": "\\u001b[31m<script>alert(1)</script>\\n::error::"}',
}


@pytest.mark.parametrize("side", ["baseline", "candidate"])
@pytest.mark.parametrize(
    "what", [*WRONG, "truncated", "lists of unequal length", "words for numbers", "binary", "a folder"]
)
def test_what_cannot_be_read_is_one_line_and_exit_code_2(side, what, baseline, tmp_path):
    file, text = tmp_path / "wrong.json", baseline.read_text()
    content = json.loads(text)
    if what == "truncated":
        file.write_text(text[: len(text) // 2])
    elif what == "lists of unequal length":
        content["cells"][0]["evidence"][0]["indicators"]["mean"].pop()
        file.write_text(json.dumps(content))
    elif what == "words for numbers":
        content["cells"][0]["evidence"][0]["squared_error"][0] = "<script>"
        file.write_text(json.dumps(content))
    elif what == "binary":
        file.write_bytes(bytes(range(256)))
    elif what == "a folder":
        file.mkdir()
    else:
        file.write_text(WRONG[what])
    before = sorted(tmp_path.rglob("*"))
    sides = (file, baseline) if side == "baseline" else (baseline, file)
    code, out, err = call("compare", *sides, "-o", tmp_path / "out.txt", "--accept")
    assert code == 2, err
    assert not out
    assert len(err.strip().splitlines()) == 1
    assert len(err) < 600
    assert "Traceback" not in err
    assert "\x1b" not in err
    assert sorted(tmp_path.rglob("*")) == before, "nothing is written"
    assert baseline.read_text() == text, "nothing is overwritten"


def test_options_that_cannot_be(baseline, passed):
    for option, value in (
        ("--alpha", "0"),
        ("--margin", "-1"),
        ("--time-margin", "0"),
        ("--format", "pdf"),
        ("--resolution", "nan"),
    ):
        code, _, err = call("compare", baseline, passed, option, value)
        assert code == 2, option
        assert option.strip("-").replace("-", "_") in err.replace("-", "_")


def test_every_format_is_written(baseline, passed, tmp_path, monkeypatch):
    """What they hold is tested with the formats; here, that the command writes them where it is told."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    for name in ("text", "markdown", "json", "junit", "github"):
        code, out, err = call("compare", baseline, passed, "--format", name, "-o", tmp_path / name)
        assert code == 0
        assert not out
        assert f"written: {tmp_path / name}" in err
        assert (tmp_path / name).stat().st_size > 100
    assert "Pass" in (tmp_path / "summary.md").read_text()


def test_an_interrupted_baseline_goes_on(suite, tmp_path, monkeypatch):
    """What was finished is kept beside the file; the same call reads it and then removes it."""
    file = tmp_path / "late.json"
    real = gate_module._store

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(gate_module, "_store", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record_baseline(suite, file, replicate_factor=0.5, executor="inline")
    assert not file.exists()
    assert len(list((tmp_path / "late.json.unfinished" / "cells").iterdir())) == 3
    monkeypatch.setattr(gate_module, "_store", real)
    results = record_baseline(suite, file, replicate_factor=0.5, executor="inline")
    assert results.provenance["resumed"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["late.json"]


def test_accept_needs_a_file(passed, tmp_path):
    with pytest.raises(ResultsError, match="record one with"):
        accept(gate_module.compare(None, Results.load(passed), Rule()), Results.load(passed), tmp_path / "absent.json")
