"""Stored results: what is written can be read, follows its schema, and what cannot be read is said clearly."""

import json

import jsonschema
import numpy as np
import pytest

from mcmc_bench.core import files
from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.json_form import identity_hash
from mcmc_bench.core.results import Cell, MetricValue, Results, ResultsError

PROVENANCE = {
    "python": "3.99",
    "versions": {"numba": "9"},
    "processor": "p",
    "cores": 1,
    "workers": 1,
    "engine_hash": "e",
    "seed": "s",
    "suite_text": "",
    "command": "c",
    "started": "2001-02-03T04:05:06Z",
    "seconds": 1.5,
    "complete": True,
}


def results(**change):
    cell = Cell("abc", "main", "banana", "mala", "exact", {"step_size": 0.5}, "dispersed", 500, 0.25, 4, 2)
    cell.match = "0123456789ab"
    cell.metric_values = [
        MetricValue("real_ess", 3.5, 0.0, 7.0, 2, floor=0.0),
        MetricValue("b", float("nan"), note="why"),
        MetricValue("c", 9.0, censored=True),
    ]
    cell.curves = {"error": {"evaluations": [1.0, 2.0], "median": [float("inf"), 0.123456789]}}
    given = {
        "suite": "mine",
        "title": "Mine",
        "description": "",
        "cells": [cell],
        "definitions": {},
        "targets": {},
        "provenance": PROVENANCE,
        **change,
    }
    return Results(**given)


def test_what_is_saved_is_loaded(tmp_path):
    first = Results.load(results().save(tmp_path))
    assert first.cells[0].metric("real_ess") == MetricValue("real_ess", 3.5, 0.0, 7.0, 2, floor=0.0)  # zeros are values
    assert first.cells[0].metric("b") == MetricValue("b", None, note="why")
    assert first.cells[0].metric("c").censored
    assert first.cells[0].curves["error"]["median"] == [None, 0.12346]
    first.save(tmp_path / "again")
    again = Results.load(tmp_path / "again")
    assert again.to_json() == first.to_json()
    assert "NaN" not in (tmp_path / "results.json").read_text()
    assert first.to_dataframe()["metric"].tolist() == ["real_ess", "b", "c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read as results"),
        ('{"schema_version": 3', "cannot be read as results"),
        ("[]", "has schema version None"),
        ('{"schema_version": 99}', "has schema version 99; this program reads version 3"),
        ('{"schema_version": 3, "cells": []}', "does not follow the schema"),
        ('{"schema_version": 3, "cells": ["ab"], "definitions": {}, "targets": {}, "provenance": {}}', "not follow"),
        (
            '{"schema_version": 3, "cells": [], "definitions": [], "targets": {}, "provenance": {}}',
            "not follow the schema: data",
        ),
        (
            '{"schema_version": 3, "cells": [], "definitions": {}, "targets": {}, "provenance": 3}',
            "not follow the schema: data",
        ),
        ('{"schema_version": NaN}', "NaN is not a number of JSON"),
        ("[" * 100_000, "cannot be read as results"),
        ('{"schema_version": 1}', "make the results again"),
        ('{"schema_version": "' + "x" * 9000 + '"}', "…; this program reads"),
        ('{"schema_version": 3, "cells": [{"metric_values": [], "verdicts": {}}]}', "does not follow the schema"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, text, message):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(ResultsError, match=message) as raised:
        Results.load(tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ResultsError, match="no such file; make one with: mcmc-bench run SUITE"):
        Results.load(tmp_path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "file"
    write_atomically(file, b"old")

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_hashes_do_not_depend_on_the_order_of_keys():
    assert identity_hash({"a": 1, "b": np.float64(2.0)}) == identity_hash({"b": 2.0, "a": 1})
    assert identity_hash({"a": 1}) != identity_hash({"a": 2})


def schema():
    return Results.schema()


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "maybe"}, {"extra": 1}, {"outcome": "lost"}, {"schema_version": 4}, {"row": 1}, {"provenance": {}}],
)
def test_the_schema_refuses(wrong, small_run):
    """A real file passes (`test_running`); the same file with one thing wrong does not."""
    content = json.loads((small_run / "results.json").read_text())
    jsonschema.validate(content, schema())
    for key, value in wrong.items():
        if key == "verdict":
            content["cells"][0]["verdicts"]["spread"]["verdict"] = value
        elif key == "row":
            content["cells"][0]["metric_values"][0]["extra"] = value
        elif key == "outcome":
            content["cells"][0]["outcome"] = value
        else:
            content[key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema())
