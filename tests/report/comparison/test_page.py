"""The page of a comparison: whole, self-contained, safe against what it shows, and right in words."""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from read_page import AS_SHOWN, HOSTILE, Browser, Page, browser, seen

from mcmc_bench.comparison.model import CellComparison, Comparison, Decision, Finding, Side, worst
from mcmc_bench.report.comparison import forest
from mcmc_bench.report.comparison.page import write_page
from mcmc_bench.report.figures.chart import RuleLine

__all__ = ["browser"]  # a fixture
VERDICTS: tuple[Decision, ...] = ("regression", "inconclusive", "pass")


# ------------------------------------------------------------ made up


def finding_of_efficiency(value: float, verdict: Decision) -> Finding:
    low, high = value / 1.1, value * 1.1
    words = f"needs {value:.2f}× ({low:.2f}–{high:.2f}) the gradients it needed"
    return Finding("efficiency", verdict, words, value, low, high, 0.1, 1.0, 1.5)


def cell(index: int, verdict: Decision = "pass", *, target: str = "banana", value: float = 1.0) -> CellComparison:
    bias = f"no bias seen; one of 0.08 sd would have been, in cell {index}"
    findings = [
        Finding("ran", "pass", "finished"),
        Finding("correctness", "pass", bias, 0.02, 0.0, 0.05, 0.5, 1.0, 0.08),
        finding_of_efficiency(value, verdict),
    ]
    if verdict == "not measured":
        findings = [Finding("ran", "not measured", f"not applicable: no gradient {index}")]
    return CellComparison(
        f"match{index}",
        "compare",
        target,
        "hmc",
        "exact",
        {"step_size": 0.1 * (index + 1)},
        "exact",
        8000,
        (8, 16),
        tuple(findings),
    )


def comparison(*cells: CellComparison, **changes: Any) -> Comparison:
    verdict = worst([finding for cell in cells for finding in cell.findings])
    mean = Finding("efficiency", "pass", "needs 1.07× the gradients it needed", 1.07, 1.01, 1.13, 0.5, 1.0, 1.2)
    found = Comparison(
        verdict,
        (f"{verdict.capitalize()}: so it is.", "A second sentence."),
        cells,
        (mean,) if cells else (),
        (),
        (),
        (),
        Side("old.json", "smoke", len(cells), {"python": "3.11", "versions": {"numpy": "2.1"}}),
        Side("new.json", "smoke", len(cells), {"python": "3.11", "versions": {"numpy": "2.2"}, "job": "7"}),
        0.001,
        0.2,
        0.2,
        17,
    )
    return replace(found, **changes)


def mixed() -> Comparison:
    slow = replace(
        cell(3), findings=(*cell(3).findings, Finding("time", "inconclusive", "slow clock", 1.3, decides=False))
    )
    return comparison(
        cell(0, "regression", value=2.5),
        cell(1, "inconclusive", value=1.3),
        cell(2, value=0.9),
        slow,
        cell(4, "not measured"),
        only_baseline=("a gone cell",),
        only_candidate=("a new cell",),
        notes=("a note",),
    )


def hostile() -> Comparison:
    bad = replace(
        cell(0, "regression", target=HOSTILE, value=2.0),
        match=HOSTILE,
        experiment=HOSTILE,
        sampler=HOSTILE,
        start=HOSTILE,
        settings={HOSTILE: 1.0},
        findings=(
            Finding("efficiency", "regression", HOSTILE, 2.0, 1.5, 2.5),
            Finding("correctness", "not measured", HOSTILE),
            Finding("time", "regression", HOSTILE, 2.0, decides=False),
            Finding("ran", "regression", HOSTILE),
        ),
    )
    side = Side(HOSTILE, HOSTILE, 1, {HOSTILE: HOSTILE, "versions": {HOSTILE: HOSTILE}, "suite_text": HOSTILE})
    return comparison(
        bad,
        summary=(HOSTILE, HOSTILE),
        overall=(Finding("present", "regression", HOSTILE),),
        only_baseline=(HOSTILE,),
        only_candidate=(HOSTILE,),
        notes=(HOSTILE,),
        baseline=side,
        candidate=replace(side, provenance={"suite_text": HOSTILE + "2", "list": [HOSTILE]}),
    )


def page_of(found: Comparison, folder: Path) -> Page:
    return Page(write_page(found, folder / "pages" / "comparison.html"))


# ------------------------------------------------------------ the comparison


def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    for page in (page_of(mixed(), tmp_path), page_of(hostile(), tmp_path)):
        assert [address for address in page.addresses if not address.startswith(("#", "data:,"))] == []
    html = (tmp_path / "pages" / "comparison.html").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|\bfetch\(|XMLHttpRequest|\bimport\(", html)


def test_links_lead_somewhere_and_ids_are_unique(tmp_path: Path) -> None:
    for page in (page_of(mixed(), tmp_path), page_of(hostile(), tmp_path)):
        assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
        assert len(page.ids) == len(set(page.ids))


def test_the_verdict_comes_first_and_everything_follows_in_order(tmp_path: Path) -> None:
    text = page_of(mixed(), tmp_path).text
    parts = [
        "Regression: so it is.",
        "A second sentence.",
        "1 ✗ regression",
        "gradients needed, candidate over baseline",
        "largest bias, standard deviations",
        "What changed",
        "Warnings",
        "slow clock",
        "Only in the baseline",
        "a gone cell",
        "Only in the candidate",
        "a new cell",
        "Notes",
        "a note",
        "All cells",
        "Provenance",
        "How it was decided",
    ]
    places = [text.index(part, text.index("Regression: so it is.")) for part in parts[:6]]
    places += [text.index(part, places[5]) for part in parts[6:]]
    assert places == sorted(places)
    assert "2 ✓ pass" in text
    assert "1 – not measured" in text


def test_every_cell_is_in_the_table_worst_first(tmp_path: Path) -> None:
    found = mixed()
    rows = page_of(found, tmp_path).rows["numbers"]
    assert len(rows) == len(found.cells)
    for one, row in zip(found.cells, rows, strict=True):
        assert one.label in row
        assert one.verdict in row
    assert "2.50 (2.27–2.75)" in rows[0]
    assert "0.08 would have been seen" in rows[0]


def test_the_forest_plots_have_a_row_for_each_measured_cell(tmp_path: Path) -> None:
    found = mixed()
    rows = page_of(found, tmp_path).rows["forest"]
    assert "Geometric mean of the suite" in rows[0]
    assert "1.07×" in rows[0]
    efficiency = rows[1:5]
    assert [next(one.label for one in found.cells if one.label in row) for row in efficiency] == [
        one.label for one in (found.cells[0], found.cells[1], found.cells[3], found.cells[2])
    ], "worst first"
    assert "regression: needs 2.50×" in efficiency[0], "the strip says in words what it shows"
    assert "2.50× (2.27–2.75)" in efficiency[0]
    assert "✗ regression" in efficiency[0]
    assert "0.02 sd (0–0.05)" in rows[5]
    assert len(rows) == 1 + 4 + 4


def test_the_plots_say_what_they_show(tmp_path: Path) -> None:
    page = page_of(mixed(), tmp_path)
    for words in (
        "one row for each cell, worst first",
        "with at least 99.9 % confidence",
        "1: as before",
        "1.2: margin of the suite",
        "1.4: margin of one cell",
        "the smallest error that would have been seen",
    ):
        assert words in page.text


def test_what_is_not_drawn_is_named_with_its_reason(tmp_path: Path) -> None:
    page = page_of(mixed(), tmp_path)
    assert f"because there is no number: 1 cell: not applicable: no gradient 4 {cell(4).label}" in page.text


def test_what_has_no_finite_number_is_not_drawn(tmp_path: Path) -> None:
    endless = replace(finding_of_efficiency(1.0, "inconclusive"), value=math.inf, low=math.nan, words="endless")
    page = page_of(comparison(replace(cell(0), findings=(endless,))), tmp_path)
    assert len(page.rows["forest"]) == 1, "the geometric mean alone"
    assert "1 cell: endless" in page.text


def test_what_changed_is_told_in_all_words(tmp_path: Path) -> None:
    found = mixed()
    text = page_of(found, tmp_path).text
    changes = text[text.rindex("What changed") : text.rindex("Provenance")]
    for one in found.cells[:2]:
        for finding in one.findings:
            assert f"{finding.question}: {finding.words}" in changes
    assert found.cells[2].findings[1].words not in changes, "what passes is not in the way"


def test_provenances_stand_side_by_side_and_differences_are_marked(tmp_path: Path) -> None:
    rows = [" ".join(row.split()) for row in page_of(mixed(), tmp_path).rows[""]]
    assert "python3.113.11" in rows
    assert "≠ differs: versions: numpy2.12.2" in rows
    assert "≠ differs: job–7" in rows


def test_how_it_was_decided_is_said(tmp_path: Path) -> None:
    text = page_of(mixed(), tmp_path).text
    for words in (
        "whole interval lies inside the margin",
        "all 17 hypotheses",
        "α = 0.001",
        "1.4 times",
        "There was one stage",
    ):
        assert words in text
    assert "in up to 3 stages" in page_of(replace(mixed(), stages=3), tmp_path).text


def test_hostile_names_are_text(tmp_path: Path) -> None:
    harmless, page = page_of(mixed(), tmp_path), page_of(hostile(), tmp_path)
    assert page.tags.count("script") == harmless.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.handlers == []
    # Title, summary, both plots' rows, changes, warnings, one side only, notes, table, provenance.
    assert page.text.count(AS_SHOWN) > 20
    raw = (tmp_path / "pages" / "comparison.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e]", raw)


def test_an_empty_comparison_is_a_page(tmp_path: Path) -> None:
    text = page_of(comparison(summary=()), tmp_path).text
    assert "No cell has a measured efficiency" in text
    assert "No cell has a measured bias" in text


def test_without_a_baseline_the_page_says_so(tmp_path: Path) -> None:
    one = replace(cell(0), findings=cell(0).findings[:2])
    text = page_of(comparison(one, overall=(), baseline=Side("", "", 0, {})), tmp_path).text
    assert "without a baseline" in text
    assert f"1 cell: not asked {one.label}" in text


def test_a_large_comparison_is_written_quickly_and_stays_small(tmp_path: Path) -> None:
    many = comparison(*(cell(index, VERDICTS[index % 3], value=1.0 + index / 100) for index in range(60)))
    started = time.perf_counter()
    file = write_page(many, tmp_path / "page.html")
    assert time.perf_counter() - started < 2
    assert file.stat().st_size < 500_000
    page = page_of(comparison(*(cell(index, VERDICTS[index % 3]) for index in range(200))), tmp_path)
    assert len(page.rows["numbers"]) == 200
    assert len(page.rows["forest"]) == 401


# ------------------------------------------------------------ positions


RULES = [RuleLine(1.0, "1", vertical=True), RuleLine(1.4, "1.4", vertical=True)]


def places(strip: str) -> dict[str, list[float]]:
    """Of a strip: where its interval runs from and to, and where its marker stands, in per cent of its width."""
    bar = re.search(r'class="bar" x1="([\d.]+)%" x2="([\d.]+)%"', strip)
    mark = re.search(r'href="#shape-[\w-]+" x="([\d.]+)%"', strip)
    return {
        "bar": [float(part) for part in bar.groups()] if bar else [],
        "mark": [float(mark[1])] if mark else [],
        "beyond": [float(x) for x in re.findall(r'href="#beyond-\w+" x="(\d+)%"', strip)],
    }


def plot(*findings: Finding) -> tuple[forest.Forest, list[dict[str, list[float]]]]:
    rows = [forest.ForestRow("a cell", "cell-1", finding) for finding in findings]
    drawn = forest.ratios("plot", rows, [], RULES)
    return drawn, [places(str(drawn.strip(row.finding))) for row in drawn.rows]


def test_positions_are_logarithmic() -> None:
    drawn, (four, two, one) = plot(
        *(replace(finding_of_efficiency(v, "pass"), low=v / 2, high=v * 2) for v in (1, 2, 4))
    )
    assert two["mark"][0] - one["mark"][0] == pytest.approx(four["mark"][0] - two["mark"][0], abs=0.02)
    assert one["bar"][1] == pytest.approx(two["mark"][0], abs=0.02)
    rule = re.findall(r'class="rule" x1="([\d.]+)%"', str(drawn.definitions()))
    assert float(rule[0]) == pytest.approx(one["mark"][0], abs=0.02), "the rule at 1 stands at 1"


def test_an_interval_over_twenty_decades_does_not_squeeze_the_rest() -> None:
    wild = replace(finding_of_efficiency(1.0, "inconclusive"), low=1e-12, high=math.inf)
    _, (first, second, third) = plot(wild, finding_of_efficiency(1.6, "pass"), finding_of_efficiency(0.8, "pass"))
    assert first["beyond"] == [0.0], "low lies beyond the left edge, and there is no arrow for what is not known"
    assert second["mark"][0] - third["mark"][0] > 15


def test_a_ratio_beyond_the_plot_is_an_arrow_at_its_edge() -> None:
    _, (far, _) = plot(replace(finding_of_efficiency(1e9, "regression")), finding_of_efficiency(1.0, "pass"))
    assert far["mark"] == []
    assert far["beyond"] == [100.0]


def test_resolutions_are_drawn_for_biases_only() -> None:
    found = cell(0).findings
    row = forest.ForestRow("a cell", "cell-1", found[1])
    assert 'class="resolution"' in str(forest.biases("bias", [row], []).strip(found[1]))
    assert 'class="resolution"' not in str(forest.ratios("ratio", [row], [], RULES).strip(found[2]))


def test_verdicts_differ_in_shape() -> None:
    assert len(set(forest.SHAPE_OF.values())) == 4


# ------------------------------------------------------------ in a browser


def test_the_comparison_works_in_a_browser(tmp_path: Path, browser: Browser) -> None:
    found = seen(write_page(mixed(), tmp_path / "page.html"), browser)
    assert found["title"] == "Regression: smoke · mcmc_bench"
    assert found["width"] <= 390, "no horizontal scrolling on a phone"
    assert found["told"] == "5 of 5 cells"
    assert found["after"] == sorted(found["before"])
    assert found["mark"][0] > 5, "markers are drawn"
    assert 0 < found["mark"][1] < 390


def test_hostile_text_is_not_executed_by_a_browser(tmp_path: Path, browser: Browser) -> None:
    found = seen(write_page(hostile(), tmp_path / "page.html"), browser)
    assert found["title"].startswith("Regression: <script>")
    assert found["width"] <= 390
