"""What all formats have in common; the text, and the JSON with its schema."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import jsonschema
import pytest

import mcmc_bench.comparison
from mcmc_bench.comparison.formats import FORMATS, render, sentences
from mcmc_bench.comparison.model import Comparison, Side
from mcmc_bench.core.results import Results

from .made_up import HOSTILE, cell, comparison, finding, hostile, one_of_each
from .read_formats import COMMAND

PACKAGE = Path(mcmc_bench.comparison.__file__).parent
SCHEMA = Comparison.schema()


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("made", [one_of_each, hostile, comparison], ids=["one of each", "hostile", "empty"])
def test_every_format_is_text_that_can_be_written(format_, made):
    text = render(made(), format_)
    assert text.encode("utf-8")
    assert not set(text) & {chr(code) for code in (*range(10), *range(11, 32), 0x7F, 0x85, 0x2028, 0x202E, 0xFFFE)} or (
        format_ == "json"  # escapes what JSON has to
    )


def test_an_unknown_format_is_named():
    with pytest.raises(ValueError, match="'html' must be one of text, markdown, json, junit, github"):
        render(one_of_each(), "html")


@pytest.mark.parametrize("format_", ["text", "markdown", "junit", "github"])
def test_every_format_says_what_is_worst_and_what_is_missing(format_):
    text = unescape(render(one_of_each(), format_))
    for part in ("needs 1.8× (1.5–2.0) the gradients: regression", "mala on vanished, exact start", "made up"):
        assert part in text
    assert text.index("on worse") < text.index("on unclear") < text.index("on slower")


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_what_was_not_measured_is_said_once_with_its_reason(format_):
    other = cell("not measured", findings=(finding("not measured", "low error", words="not measured: never low"),))
    text = render(comparison(other, *[cell("not measured")] * 2, cell("pass")), format_)
    first, second = (line for line in text.splitlines() if ": not measured: " in line)
    assert first == "- efficiency in 2 cells: not measured: made up"
    assert second == "- low error in 1 cell: not measured: never low"


@pytest.mark.parametrize("format_", ["text", "markdown", "junit", "github"])
def test_every_format_puts_the_worst_first(format_):
    found = comparison(
        cell("not measured", "untold"),
        cell("pass", "right"),
        cell("inconclusive", "unclear"),
        cell("regression", "worse"),
    )
    text = render(found, format_)
    said = [name for name in ("worse", "unclear", "right", "untold") if f"on {name}" in text]
    assert [text.index(f"on {name}") for name in said] == sorted(text.index(f"on {name}") for name in said)
    assert said[:2] == ["worse", "unclear"]


def test_a_package_of_formats_costs_nothing_to_import():
    program = (
        "import sys, types; package = types.ModuleType('mcmc_bench.comparison'); package.__path__ = [sys.argv[1]]\n"
        "sys.modules['mcmc_bench.comparison'] = package\n"
        "import mcmc_bench.comparison.formats\n"
        "print(*sorted({'rich', 'numpy', 'xml.etree', 'mcmc_bench.comparison.model'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, PACKAGE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_one_line_keeps_what_can_be_seen():
    assert sentences.one_line("a é 漢 × ⟨x⟩  b\tc\n d ") == "a é 漢 × ⟨x⟩ b c d"
    assert sentences.one_line("\x1b[1m\x00\u202e###[x]") == "�[1m��# # #[x]"
    assert sentences.one_line(sentences.one_line(HOSTILE)) == sentences.one_line(HOSTILE)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"value": 1.8, "low": 1.5, "high": 2.1}, "1.8× (1.5–2.1)"),
        ({"value": 1.01, "low": 0.99, "high": 1.04}, "1.01× (0.99–1.04)"),
        ({"value": 1.001, "low": 0.999, "high": 1.003}, "1.001× (0.999–1.003)"),
        ({"value": 1e9, "low": 1e3, "high": float("inf")}, "1e+09× (1e+03–inf)"),
        ({"value": 2.0, "low": None, "high": None}, "2×"),
        ({"value": None}, "inconclusive"),
    ],
)
def test_ratios_have_the_digits_of_their_interval(values, said):
    one = cell("inconclusive", findings=(finding("inconclusive", **values),))
    assert sentences.numbers(one) == ["–", said, "–", "–"]


# ---------------------------------------------------------------- text


def test_text_has_a_line_for_each_thing_and_no_colour(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    text = render(one_of_each(), "text")
    lines = text.splitlines()
    assert "\x1b" not in text
    assert lines[0] == "✗ Regression: made up."
    assert {len(line) for line in lines if line[0:1] in tuple("╭│├╰")} == {160}
    titles = next(line for line in lines if "verdict" in line)
    assert [title.strip() for title in titles.strip("│ ").split("│")] == [
        "verdict",
        "cell",
        "correctness",
        "efficiency",
        "low error",
        "time",
    ]
    table = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
    assert table[1:] == ["regression", "inconclusive", "pass", "pass", "not measured"]
    assert "- hmc(step_size=0.5) on slower, exact start: needs 3.0× the seconds" in lines


def test_text_cuts_no_name_off():
    name = "".join(f"part{number}_" for number in range(60))
    text = render(comparison(cell("pass", name)), "text")
    column = "".join(line.split("│")[2].strip() for line in text.splitlines() if line.startswith("│"))
    assert name in column
    assert "…" not in text


@pytest.mark.parametrize("format_", ["text", "markdown", "junit"])
def test_no_name_becomes_a_command_of_who_shows_the_log(format_):
    lines = render(hostile(), format_).splitlines()
    assert [line for line in lines if COMMAND.search(line)] == []
    assert any("::error title=forged" in line for line in lines)


@pytest.mark.parametrize("format_", ["text", "markdown", "junit"])
@pytest.mark.parametrize("start", ["", " ", "\n", "x\n"])
def test_no_text_begins_a_line(format_, start):
    forged = f"{start}::error::forged"
    one = cell(
        "regression", forged, sampler=forged, experiment=forged, findings=(finding("regression", words=forged),) * 2
    )
    late = cell("pass", forged, sampler=forged, findings=(finding("regression", "time", words=forged, decides=False),))
    side = Side(forged, forged, 1, {"commit": forged})
    found = comparison(
        one,
        late,
        summary=(forged, forged),
        overall=(finding("inconclusive", words=f"{forged}!"),),
        notes=(forged,),
        only_baseline=(forged,),
        only_candidate=(forged,),
        baseline=side,
        candidate=side,
    )
    text = render(found, format_)
    assert text.count("error::forged") > 15
    assert not any(COMMAND.search(line) for line in text.splitlines())


def test_a_folded_name_does_not_become_a_command():
    name = " ".join(["x" * 39 + " ::error::forged"] * 20)
    text = render(comparison(cell("regression", name), summary=(name,) * 2), "text")
    assert text.count("::error") >= 60
    assert not any(COMMAND.search(line) for line in text.splitlines())


# ---------------------------------------------------------------- json


@pytest.mark.parametrize(
    "made",
    [one_of_each, comparison, lambda: replace(one_of_each(), baseline=Side("", "", 0, {}))],
    ids=["one of each", "empty", "no baseline"],
)
def test_json_follows_its_schema(made):
    content = json.loads(render(made(), "json"))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(content, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert content == made().to_json()


def test_json_keeps_hostile_names_exactly():
    text = render(hostile(), "json").encode("utf-8")
    content = json.loads(text)
    jsonschema.validate(content, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert content["cells"][0]["target"] == content["summary"][0] == HOSTILE


def test_json_holds_no_number_that_is_none():
    """JSON has no name for what is not finite: it is left open."""
    endless = comparison(cell("pass", findings=(finding(value=float("inf"), resolution=float("nan")),)))
    (found,) = json.loads(render(endless, "json"))["cells"][0]["findings"]
    assert found["value"] is found["resolution"] is None
    assert found["low"] == 1.5


def changed(*path, to):
    """A comparison's JSON with one thing changed; None at the end of `path` adds a key."""
    content = copy.deepcopy(one_of_each().to_json())
    *way, last = path
    place = content
    for step in way:
        place = place[step]
    if to is ...:
        del place[last]
    else:
        place[last] = to
    return content


@pytest.mark.parametrize(
    "content",
    [
        changed("verdict", to="fail"),
        changed("verdict", to=...),
        changed("extra", to=1),
        changed("version", to=2),
        changed("alpha", to=0),
        changed("alpha", to="0.001"),
        changed("margin", to=None),
        changed("resolution", to=0),
        changed("hypotheses", to=1.5),
        changed("stages", to=0),
        changed("summary", to="one sentence"),
        changed("notes", to=[1]),
        changed("only_baseline", to=...),
        changed("cells", 0, "verdict", to="worse"),
        changed("cells", 0, "label", to=...),
        changed("cells", 0, "extra", to=1),
        changed("cells", 0, "start", to="anywhere"),
        changed("cells", 0, "sampler_kind", to="good"),
        changed("cells", 0, "settings", "step_size", to="0.5"),
        changed("cells", 0, "budget", to=0),
        changed("cells", 0, "replicates", to=[32]),
        changed("cells", 0, "replicates", to=[32, -1]),
        changed("cells", 0, "replicates", to=[32, 32, 32]),
        changed("cells", 0, "findings", 0, "question", to="speed"),
        changed("cells", 0, "findings", 0, "verdict", to=None),
        changed("cells", 0, "findings", 0, "words", to=...),
        changed("cells", 0, "findings", 0, "value", to="1.8"),
        changed("cells", 0, "findings", 1, "p_value", to=1.5),
        changed("cells", 0, "findings", 1, "adjusted", to=-0.5),
        changed("cells", 0, "findings", 1, "decides", to=None),
        changed("cells", 0, "findings", 1, "extra", to=1),
        changed("overall", 0, "words", to=None),
        changed("baseline", "cells", to=-1),
        changed("baseline", "extra", to=1),
        changed("baseline", "provenance", "extra", to=1),
        changed("baseline", "provenance", "seed", to=...),
        changed("candidate", "path", to=None),
    ],
)
def test_json_that_is_changed_does_not_follow_the_schema(content):
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(content)


def test_the_schema_says_of_provenance_what_that_of_results_says():
    provenance = Results.schema()["$defs"]["Provenance"]
    del provenance["properties"]["suite_text"]
    provenance["required"].remove("suite_text")
    assert SCHEMA["$defs"]["Origin"] == provenance
