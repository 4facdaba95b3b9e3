"""Markdown: short enough for a comment, worst first, and no name in it is markup, a link or a mention."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from mcmc_bench.comparison.formats import markdown, render, sentences
from mcmc_bench.comparison.model import Side

from .made_up import HOSTILE, cell, comparison, hostile, large, one_of_each
from .read_formats import rows, shown

#: What Markdown makes a link of, as it stands in the source.
ADDRESS = re.compile(r"://|www\.|\w@\w", re.IGNORECASE)
#: The forms in which GitHub links text that is shown: mentions, numbers of issues, addresses, short names of emoji.
LINKED = re.compile(r"@\w|#\d|\bGH-\d|\b\w+://|\bwww\.\w|:[\w+-]+:")


def test_markdown_is_a_table_of_the_worst_and_one_that_is_folded():
    text = render(one_of_each(), "markdown")
    assert [row[0] for row in rows(text)] == [
        "❌ regression",
        "⚠️ inconclusive",
        "✅ pass",
        "✅ pass",
        "➖ not measured",
    ]
    assert rows(text)[0][1:3] == [
        "hmc(step_size=0.5) on worse, exact start",
        "needs 1.8× (1.5–2.0) the gradients: regression",
    ]
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
        "heading_open",
        "heading_close",
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
        "strong_open",
        "strong_close",
        "bullet_list_open",
        "bullet_list_close",
        "list_item_open",
        "list_item_close",
        "table_open",
        "table_close",
        "thead_open",
        "thead_close",
        "tbody_open",
        "tbody_close",
        "tr_open",
        "tr_close",
        "th_open",
        "th_close",
        "td_open",
        "td_close",
        "html_block",
    }
    assert [token.content.strip() for token in tokens if token.type == "html_block"] == [
        "<details><summary>✅ The others: 1 pass, 1 not measured</summary>",
        "</details>",
    ]
    assert len([token for token in tokens if token.type == "heading_open"]) == 1
    assert {len(row) for row in rows(text)} == {6, 7}
    visible = "".join(token.content for token in tokens if token.type in ("text", "text_special"))
    assert "<script>alert(1)</script>|`x`` </details> **bold** _it_ [a](http" in visible
    assert LINKED.findall(visible) == ADDRESS.findall(text) == []
    assert rows(text)[0][2].replace("\u200b", "") == sentences.one_line(HOSTILE)


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


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "+ a",
        "1. a",
        "12) a",
        "---",
        "===",
        "# a",
        "> a",
        "* a",
        "[ ] a",
        "    a",
        "<pre a",
        "</div a",
        "<!-- a",
        "<?a",
    ],
)
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
