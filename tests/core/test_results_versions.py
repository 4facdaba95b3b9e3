"""Results of older schema versions are read as they are stored: every published file, and the baseline of the gate."""

import json
from pathlib import Path

import pytest

from mcmc_bench.core.results import SCHEMA_VERSION, Results, ResultsError
from mcmc_bench.core.results_versions import MIGRATIONS

REPORTS = Path(__file__).resolve().parents[2] / "reports"
STORED = [*sorted(REPORTS.glob("published/*/results.json")), *sorted(REPORTS.glob("baseline/*.json"))]


@pytest.mark.skipif(not STORED, reason="not a checkout: nothing is stored")
@pytest.mark.parametrize("file", STORED, ids=lambda file: file.parent.name)
def test_stored_results_are_read(file):
    stored, read = json.loads(file.read_text(encoding="utf-8")), Results.load(file)
    assert [cell.id for cell in read.cells] == [cell["id"] for cell in stored["cells"]]
    key = "rows" if stored["schema_version"] == 2 else "metric_values"
    for cell, before in zip(read.cells, stored["cells"], strict=True):
        assert [one.value for one in cell.metric_values] == [one["value"] for one in before[key]]
        assert {one.metric for one in cell.metric_values} <= read.definitions.keys()
    assert read.definitions["mode_weight_error"].card


def version_2():
    """A file of version 2 with one cell."""
    cell = {
        "id": "a",
        "experiment": "",
        "target": "t",
        "sampler": "s",
        "sampler_kind": "exact",
        "settings": {},
        "start": "exact",
        "budget": 10,
        "burn_in": 0.25,
        "chains": 4,
        "replicates": 2,
        "match": "0123456789ab",
        "cost": {"warm_up_evaluations": 5.0},
        "rows": [{"metric": "natural_bias_squared_max", "value": 1.5}],
    }
    definition = {"title": "T", "definition": "D", "direction": "lower", "ideal": 0.0}
    provenance = {
        "python": "3",
        "versions": {},
        "processor": "",
        "cores": 2,
        "threads": 2,
        "engine_hash": "",
        "seed": "",
        "suite_text": "",
        "command": "",
        "started": "",
        "seconds": 1.0,
        "complete": True,
    }
    return {
        "schema_version": 2,
        "suite": "s",
        "title": "",
        "description": "",
        "experiments": {},
        "targets": {},
        "cells": [cell],
        "provenance": provenance,
        "definitions": {
            "warm_up_evaluations": {**definition, "group": "cost"},
            "natural_bias_squared_max": {**definition, "group": "accuracy"},
            "modes_found": {**definition, "group": "modes"},
        },
    }


def test_version_2_is_brought_to_the_names_of_today(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(version_2()))
    read = Results.load(tmp_path)
    (cell,) = read.cells
    assert read.schema_version == SCHEMA_VERSION
    assert (cell.warmup_share, cell.cost) == (0.25, {"warmup_evaluations": 5.0})
    assert cell.value("constrained_bias_squared_max") == 1.5
    assert list(read.definitions) == ["modes_found", "constrained_bias_squared_max", "warmup_evaluations"]
    assert read.definitions["modes_found"].verdict == "all_modes"
    assert read.provenance["workers"] == 2
    assert Results.load(read.save(tmp_path / "again")).to_json() == read.to_json()


def test_a_broken_file_of_an_older_version_is_refused(tmp_path):
    for key in ("cells", "definitions", "provenance"):
        (tmp_path / "results.json").write_text(json.dumps({**version_2(), key: 3}))
        with pytest.raises(ResultsError, match="does not follow the schema"):
            Results.load(tmp_path)


def test_each_older_version_leads_to_the_next_and_at_last_to_the_present():
    assert sorted(MIGRATIONS) == list(range(min(MIGRATIONS), SCHEMA_VERSION))
