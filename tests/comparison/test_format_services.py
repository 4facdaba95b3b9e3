"""What services read: annotations and the summary of a job on GitHub, JUnit XML for GitLab and Jenkins."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml, Skipped
from lxml import etree

from mcmc_bench.comparison.formats import github, render, sentences

from .made_up import HOSTILE, cell, comparison, finding, hostile, large, one_of_each
from .read_formats import COMMAND, rows

XSD = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))


def commands(text):
    """Annotations as the runner of GitHub reads them: level, title, message; and the other lines."""
    found, other = [], []
    for line in text.splitlines():
        match = re.fullmatch(r"\s*::(error|warning|notice) title=([^:,]*)::(.*)", line)
        if match:
            title, message = (
                part.replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%0A", "\n")
                .replace("%0D", "\r")
                .replace("%25", "%")
                for part in match.groups()[1:]
            )
            found.append((match[1], title, message))
        else:
            assert not COMMAND.search(line)
            other.append(line)
    return found, other


def test_annotations_are_worst_first():
    annotations, other = commands(render(one_of_each(), "github"))
    assert [(level, title) for level, title, _ in annotations] == [
        ("error", "missing: 1 cell of the baseline"),
        ("error", "regression: hmc(step_size=0.5) on worse, exact start"),
        ("warning", "inconclusive: hmc(step_size=0.5) on unclear, exact start"),
        ("warning", "warning, decides nothing: hmc(step_size=0.5) on slower, exact start"),
    ]
    assert annotations[0][2] == "mala on vanished, exact start"
    assert annotations[1][2] == "needs 1.8× (1.5–2.0) the gradients: regression"
    assert other == ["mcmc-bench: Regression: made up."]


def test_there_are_at_most_ten_annotations():
    annotations, other = commands(render(large("bad_", 1), "github"))
    assert len(annotations) == 10
    assert [title.split(" on ")[-1] for _, title, _ in annotations[1:]] == [f"bad_{n}, exact start" for n in range(9)]
    assert {level for level, _, _ in annotations} == {"error"}
    assert other == ["mcmc-bench: Regression: made up. 991 annotations more not shown."]
    assert annotations[0][2].endswith(" and 2,990 more")


def test_hostile_names_break_no_annotation():
    annotations, other = commands(render(hostile(), "github"))
    assert len(annotations) == 9
    assert len(other) == 1
    assert annotations[0][2] == sentences.one_line(HOSTILE)
    assert annotations[2][1].startswith("regression: <script>alert(1)</script>|`x``")


def test_the_suite_as_a_whole_is_annotated():
    found = comparison(cell("pass"), overall=(finding("regression", words="all slower, 5 %"), finding("inconclusive")))
    assert render(found, "github").splitlines()[:2] == [
        "::error title=regression%3A the suite as a whole::all slower, 5 %25",
        "::warning title=inconclusive%3A the suite as a whole::made up efficiency",
    ]


def test_missing_cells_are_annotated_once():
    found = replace(one_of_each(), overall=(finding("regression", "present", words="1 cell is missing"),))
    assert "1 cell is missing" not in render(found, "github")
    assert "1 cell is missing" in render(replace(found, only_baseline=()), "github")


def test_a_pass_is_a_notice():
    annotations, _ = commands(render(comparison(cell("pass")), "github"))
    assert annotations == [("notice", "mcmc-bench: pass", "Pass: made up.")]


def test_the_summary_of_the_job_keeps_what_is_there(tmp_path):
    file = tmp_path / "summary.md"
    assert github.append_job_summary(one_of_each(), file)
    first = file.read_text(encoding="utf-8")
    assert first == render(one_of_each(), "markdown")
    file.write_text("| a |\n| - |\n| b |", encoding="utf-8")
    assert github.append_job_summary(one_of_each(), file)
    text = file.read_text(encoding="utf-8")
    assert text == f"| a |\n| - |\n| b |\n\n{first}"
    assert ["b"] in rows(text)


@pytest.mark.parametrize("there", [0, 500_000, 990_000])
@pytest.mark.parametrize("name", ["target_with_a_long_name_", "漢"])
def test_the_summary_of_the_job_stays_below_its_limit(tmp_path, there, name):
    file = tmp_path / "summary.md"
    file.write_bytes(b"x" * there)
    assert github.append_job_summary(large(name, 60), file)
    content = file.read_bytes()
    assert content.startswith(b"x" * there)
    assert there + 1500 < len(content) <= 1_000_000
    assert "left out here" in content.decode()


def test_a_full_summary_is_left_alone(tmp_path):
    file = tmp_path / "summary.md"
    file.write_bytes(b"x" * 999_000)
    assert not github.append_job_summary(one_of_each(), file)
    assert file.read_bytes() == b"x" * 999_000


# ---------------------------------------------------------------- junit


def junit(found):
    """The suite, read by junitparser, after it is checked against the schema."""
    text = render(found, "junit")
    XSD.assertValid(etree.fromstring(text.encode()))
    (suite,) = JUnitXml.fromstring(text.encode())
    return suite


def test_junit_has_a_case_for_each_cell_and_one_for_the_suite():
    suite = junit(one_of_each())
    found = {case.name: case for case in suite}
    assert list(found) == [
        "the suite as a whole",
        *(f"hmc(step_size=0.5) on {name}, exact start" for name in ("worse", "unclear", "slower", "right", "untold")),
        "mala on vanished, exact start",
    ]
    results = {name.split(" on ")[-1]: case.result for name, case in found.items()}
    assert [type(result[0]) for result in results.values() if result] == [Failure, Skipped, Skipped, Failure]
    failure, unclear, untold = (results[f"{name}, exact start"][0] for name in ("worse", "unclear", "untold"))
    assert failure.message == "needs 1.8× (1.5–2.0) the gradients: regression"
    assert failure.text == f"regression: efficiency: {failure.message}"
    assert unclear.message == "inconclusive: needs 1.8× (1.5–2.0) the gradients: inconclusive"
    assert untold.message == "not measured: made up"
    assert found["hmc(step_size=0.5) on worse, exact start"].classname == "mcmc_bench.main.worse"
    assert (suite.tests, suite.failures, suite.errors, suite.skipped, suite.time) == (7, 2, 0, 2, 0)


def test_junit_counts_what_is_there():
    suite = junit(large())
    counted = suite.tests, suite.failures, suite.skipped
    suite.update_statistics()
    assert counted == (suite.tests, suite.failures, suite.skipped) == (6001, 3300, 700)


def test_junit_shows_a_regression_of_the_suite():
    suite = junit(comparison(cell("pass"), overall=(finding("regression", words="all slower"), finding("pass"))))
    case = next(iter(suite))
    assert (case.name, case.result[0].message) == ("the suite as a whole", "all slower")


def test_hostile_names_are_text_in_junit():
    suite = junit(hostile())
    of_the_suite, of_the_cell = (case.result[0].message for case in list(suite)[:2])
    assert of_the_suite == f"{sentences.one_line(HOSTILE)}; {sentences.one_line(HOSTILE)}"
    assert of_the_cell == sentences.one_line(HOSTILE)
    assert all(case.classname.startswith("mcmc_bench.") and case.classname.count(".") == 2 for case in list(suite)[1:])


def test_cases_with_the_same_name_are_told_apart():
    labels = ("a", "a (2)", "a", "")
    suite = junit(comparison(cell("pass"), cell("pass"), cell("regression"), only_baseline=labels))
    names = [case.name for case in suite][1:]
    assert names == [
        *(f"hmc(step_size=0.5) on banana, exact start{end}" for end in ("", " (2)", " (3)")),
        "a",
        "a (2)",
        "a (3)",
        "unnamed",
    ]


def test_the_schema_of_junit_sees_what_is_wrong():
    good = render(one_of_each(), "junit")
    XSD.assertValid(etree.fromstring(good.encode()))
    for old, new in (
        ('failures="2"', 'failures="two"'),
        ("<testcase classname", "<testcase class"),
        ("<skipped ", "<ignored "),
        (' name="mala on vanished, exact start"', ""),
        ("on slower", "on worse"),
        ('time="0"', 'time="-1"'),
    ):
        assert old in good
        changed = re.sub("(<ignored [^>]*)", r"\1", good.replace(old, new).replace(".slower", ".worse"))
        assert not XSD.validate(etree.fromstring(changed.encode()))
