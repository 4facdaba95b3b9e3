"""Each format is read back by a reader that is not ours, stays within its limits, and shows hostile names as text."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import jsonschema
import pytest
from junitparser import Failure, JUnitXml, Skipped
from lxml import etree
from markdown_it import MarkdownIt

import mcmc_bench.comparison
from mcmc_bench.comparison.formats import FORMATS, github, markdown, render, words
from mcmc_bench.comparison.model import Side

from . import made_up
from .made_up import HOSTILE, cell, comparison, finding, hostile, large, one_of_each

PACKAGE = Path(mcmc_bench.comparison.__file__).parent
SCHEMA = json.loads((PACKAGE / "comparison.schema.json").read_text(encoding="utf-8"))
XSD = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))
#: What GitHub's runner takes for a command: at the beginning of a line after blanks, or this sign anywhere in it.
COMMAND = re.compile(r"^\s*::|##\[")
#: What Markdown makes a link of, as it stands in the source.
ADDRESS = re.compile(r"://|www\.|\w@\w", re.IGNORECASE)
#: The forms in which GitHub links text that is shown: mentions, numbers of issues, addresses, short names of emoji.
LINKED = re.compile(r"@\w|#\d|\bGH-\d|\b\w+://|\bwww\.\w|:[\w+-]+:")


def shown(text):
    """Tokens of Markdown as GitHub reads it, nested ones too."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


def rows(text):
    """The cells of all tables, as they are shown, without their headings."""
    found, inside = [], False
    for token in shown(text):
        if token.type in ("tbody_open", "tbody_close"):
            inside = token.type == "tbody_open"
        elif inside and token.type == "tr_open":
            found.append([])
        elif inside and token.type == "inline":
            found[-1].append("".join(child.content for child in token.children))
    return found


def junit(found):
    """The suite, read by junitparser, after it is checked against the schema."""
    text = render(found, "junit")
    XSD.assertValid(etree.fromstring(text.encode()))
    (suite,) = JUnitXml.fromstring(text.encode())
    return suite


# ---------------------------------------------------------------- all formats


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
    assert words.one_line("a é 漢 × ⟨x⟩  b\tc\n d ") == "a é 漢 × ⟨x⟩ b c d"
    assert words.one_line("\x1b[1m\x00\u202e###[x]") == "�[1m��# # #[x]"
    assert words.one_line(words.one_line(HOSTILE)) == words.one_line(HOSTILE)


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
    assert words.numbers(one) == ["–", said, "–", "–"]


# ---------------------------------------------------------------- text


def test_text_has_a_line_for_each_thing_and_no_colour(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    text = render(one_of_each(), "text")
    lines = text.splitlines()
    assert "\x1b" not in text
    assert lines[0] == "✗ Regression: made up."
    assert max(map(len, lines)) == 160
    titles = next(line for line in lines if "verdict" in line)
    assert [title.strip() for title in titles.strip("│ ").split("│")] == [
        "verdict", "cell", "correctness", "efficiency", "low error", "time",
    ]  # fmt: skip
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


def test_a_folded_name_does_not_become_a_command():
    name = " ".join(["x" * 39 + " ::error::forged"] * 20)
    text = render(comparison(cell("regression", name), summary=(name,) * 2), "text")
    assert text.count("::error") >= 60
    assert not any(COMMAND.search(line) for line in text.splitlines())


# ---------------------------------------------------------------- markdown


def test_markdown_is_a_table_of_the_worst_and_one_that_is_folded():
    text = render(one_of_each(), "markdown")
    assert [row[0] for row in rows(text)] == [
        "❌ regression", "⚠️ inconclusive", "✅ pass", "✅ pass", "➖ not measured",
    ]  # fmt: skip
    assert rows(text)[0][1:3] == [
        "hmc(step_size=0.5) on worse, exact start", "needs 1.8× (1.5–2.0) the gradients: regression",
    ]  # fmt: skip
    assert [token.content.strip() for token in shown(text) if token.type.startswith("html")] == [
        "<details><summary>✅ The others: 2 pass, 1 not measured</summary>",
        "</details>",
    ]
    assert "left out" not in text
    assert text.startswith("## ❌ mcmc-bench: regression\n")


def test_hostile_names_are_text_in_markdown():
    text = render(hostile(), "markdown")
    tokens = shown(text)
    assert {token.type for token in tokens} <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "text_special",
        "strong_open", "strong_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
        "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
        "th_open", "th_close", "td_open", "td_close", "html_block",
    }  # fmt: skip
    assert [token.content.strip() for token in tokens if token.type == "html_block"] == [
        "<details><summary>✅ The others: 1 pass, 1 not measured</summary>", "</details>",
    ]  # fmt: skip
    assert len([token for token in tokens if token.type == "heading_open"]) == 1
    assert {len(row) for row in rows(text)} == {6, 7}
    visible = "".join(token.content for token in tokens if token.type in ("text", "text_special"))
    assert "<script>alert(1)</script>|`x`` </details> **bold** _it_ [a](http" in visible
    assert LINKED.findall(visible) == ADDRESS.findall(text) == []
    assert rows(text)[0][2].replace("\u200b", "") == words.one_line(HOSTILE)


@pytest.mark.parametrize(
    "text", ["@octocat", "#12", "gh-12", "https://e.example", "www.e.example", ":+1:", ":100:", "a@b.example"]
)
def test_each_link_of_github_is_known_to_the_test_and_taken_apart(text):
    assert LINKED.search(text) or text == "gh-12"
    assert not LINKED.search(unescape(markdown.escape(text)))
    assert not ADDRESS.search(markdown.escape(text))
    assert unescape(markdown.escape(text)).replace("\u200b", "") == text
    assert "\u200b" in unescape(markdown.escape(text))


def test_the_parser_of_github_makes_no_link():
    cmarkgfm = pytest.importorskip("cmarkgfm", reason="the parser that GitHub runs is optional")
    html = cmarkgfm.github_flavored_markdown_to_html(render(hostile(), "markdown"))
    assert set(re.findall(r"<(\w+)", html)) == {
        "h2",
        "p",
        "strong",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert "<a" in cmarkgfm.github_flavored_markdown_to_html("www.g.example")


@pytest.mark.parametrize("text", ["- a", "+ a", "1. a", "12) a", "---", "===", "# a", "> a", "* a", "[ ] a", "    a"])
def test_a_name_begins_no_list_and_no_heading(text):
    tokens = shown(f"- {markdown.escape(text)}")
    assert [token.type for token in tokens if token.nesting == 1] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
    ]
    assert not [token.type for token in tokens if token.type == "hr"]
    assert unescape(markdown.escape(text)).replace("\u200b", "") == text.strip()


def test_ordinary_names_stay_readable_as_they_stand():
    label = "hmc(step_size=0.4, num_integration_steps=5) on banana, exact start: 1.8× (1.5–2.1)"
    assert markdown.escape(label) == label


@pytest.mark.parametrize("limit", [2_000, 10_000, markdown.COMMENT_LIMIT])
@pytest.mark.parametrize("name", ["target_with_a_long_name_", "@", "漢", HOSTILE])
def test_a_comment_has_at_most_its_characters(limit, name):
    found = large(name, 1 if name == HOSTILE else 60)
    text = render(found, "markdown", limit=limit)
    assert len(text) <= limit < 65_000
    assert "2,0" in text.split("left out here: ", 1)[1]


def test_what_is_left_out_is_counted_and_the_worst_stays():
    text = render(large(), "markdown")
    verdicts = [row[0] for row in rows(text)]
    assert verdicts == ["❌ regression"] * len(verdicts)
    assert 50 < len(verdicts) < 300
    (line,) = [line for line in text.splitlines() if "left out" in line]
    assert line == (
        f"**{3000 - len(verdicts):,} cells are left out here: {300 - len(verdicts)} regression, 700 inconclusive, 2,000 pass.** "
        "All of them: mcmc-bench compare old.json 'new dir'"
    )
    assert "and 2,990 more" in text  # of the cells that vanished


def test_passing_cells_are_left_out_first():
    found = comparison(
        *(cell("regression", f"bad_{n}") for n in range(20)), *(cell("pass", "p" * 250) for _ in range(400))
    )
    text = render(found, "markdown")
    verdicts = [row[0] for row in rows(text)]
    assert verdicts[:20] == ["❌ regression"] * 20
    assert set(verdicts[20:]) == {"✅ pass"}
    assert len(text) <= markdown.COMMENT_LIMIT
    assert f"{420 - len(verdicts)} cells are left out here: {420 - len(verdicts)} pass." in text
    assert f"The others: {len(verdicts) - 20} pass</summary>" in text


def test_markdown_says_where_the_whole_is():
    assert "All of them: the artifact page.html" in render(large(), "markdown", whole="the artifact page.html")
    nowhere = replace(large(), baseline=Side("", "", 0, {}))
    assert "All of them are in the other formats." in render(nowhere, "markdown")


def test_a_limit_that_holds_nothing_is_refused():
    with pytest.raises(ValueError, match="limit = 1999 must be at least 2000"):
        render(one_of_each(), "markdown", limit=1999)


# ---------------------------------------------------------------- github


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
    annotations, other = commands(render(large(), "github"))
    assert len(annotations) == 10
    assert {level for level, _, _ in annotations} == {"error"}
    assert other == ["mcmc-bench: Regression: made up. 991 annotations more not shown."]
    assert annotations[0][2].endswith(" and 2,990 more")


def test_hostile_names_break_no_annotation():
    annotations, other = commands(render(hostile(), "github"))
    assert len(annotations) == 9
    assert len(other) == 1
    assert annotations[0][2] == words.one_line(HOSTILE)
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


def test_junit_has_a_case_for_each_cell_and_one_for_the_suite():
    suite = junit(one_of_each())
    found = {case.name: case for case in suite}
    assert list(found) == [
        "the suite as a whole", *(f"hmc(step_size=0.5) on {name}, exact start" for name in ("worse", "unclear", "slower", "right", "untold")),
        "mala on vanished, exact start",
    ]  # fmt: skip
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
    assert of_the_suite == f"{words.one_line(HOSTILE)}; {words.one_line(HOSTILE)}"
    assert of_the_cell == words.one_line(HOSTILE)
    assert all(case.classname.startswith("mcmc_bench.") and case.classname.count(".") == 2 for case in list(suite)[1:])


def test_cases_with_the_same_name_are_told_apart():
    labels = ("a", "a (2)", "a", "")
    suite = junit(comparison(cell("pass"), cell("pass"), cell("regression"), only_baseline=labels))
    names = [case.name for case in suite][1:]
    assert names == [
        *(f"hmc(step_size=0.5) on banana, exact start{end}" for end in ("", " (2)", " (3)")),
        "a", "a (2)", "a (3)", "unnamed",
    ]  # fmt: skip


def test_the_schema_of_junit_sees_what_is_wrong():
    good = render(one_of_each(), "junit")
    XSD.assertValid(etree.fromstring(good.encode()))
    for old, new in (
        ('failures="2"', 'failures="two"'), ("<testcase classname", "<testcase class"), ("<skipped ", "<ignored "),
        (' name="mala on vanished, exact start"', ""), ("on slower", "on worse"), ('time="0"', 'time="-1"'),
    ):  # fmt: skip
        assert old in good
        changed = re.sub("(<ignored [^>]*)", r"\1", good.replace(old, new).replace(".slower", ".worse"))
        assert not XSD.validate(etree.fromstring(changed.encode()))


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
    with pytest.raises(ValueError, match="not JSON compliant"):
        render(comparison(cell("pass", findings=(finding("pass", value=float("nan")),))), "json")


def changed(*path, to):
    """A comparison's JSON with one thing changed; None at the end of `path` adds a key."""
    content = copy.deepcopy(made_up.one_of_each().to_json())
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
    stored = json.loads((PACKAGE.parent / "results.schema.json").read_text(encoding="utf-8"))
    provenance = stored["properties"]["provenance"]
    del provenance["properties"]["suite_text"]
    provenance["required"].remove("suite_text")
    assert SCHEMA["$defs"]["provenance"] == provenance
    for name in ("sampler_kind", "settings", "start", "budget"):
        assert SCHEMA["$defs"]["cell"]["properties"][name] == stored["$defs"]["cell"]["properties"][name]
