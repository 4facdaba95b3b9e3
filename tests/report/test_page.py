"""The page is whole, stands alone, escapes what it shows, and hides nothing that went wrong."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from made_up_results import DEFINITIONS, TWO_MODES, made_up
from PIL import Image

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Results
from mcmc_bench.report import write_report
from mcmc_bench.report.page import find_sections
from mcmc_bench.report.table import metric_table


class Page(HTMLParser):
    """The ids, links and open elements of a page."""

    VOID = frozenset({"meta", "link", "br", "img", "input"})
    OMISSIBLE = frozenset({"td", "th", "tr", "li", "p"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
                (self.links if (value or "").startswith("#") else self.addresses).append(value or "")
        if tag not in self.VOID | self.OMISSIBLE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.OMISSIBLE:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag, f"</{tag}> closes another element"


@pytest.fixture(scope="module")
def html(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def written(results: Results, folder: Path) -> str:
    return write_report(results, folder).read_text(encoding="utf-8")


# ------------------------------------------------------------ stands alone


def outside_references(html: str) -> list[str]:
    """Every address on a page that is not within it."""
    found = [address for address in Page(html).addresses if not address.startswith("data:")]
    found += [url for url in re.findall(r"url\(\s*['\"]?([^'\")]+)", html) if not url.startswith(("data:", "#"))]
    return found + re.findall(r"@import[^;]+|\bfetch\(|XMLHttpRequest|\bimport\(", html)


def test_nothing_is_fetched(html: str) -> None:
    assert outside_references(html) == []


@pytest.mark.parametrize(
    "planted", ['<img src="x.png">', '<a href="https://example.org">x</a>', "<style>p{background:url(x.png)}</style>"]
)
def test_a_planted_reference_would_be_found(html: str, planted: str) -> None:
    assert outside_references(html.replace("</main>", planted + "</main>")) != []


def test_the_page_is_well_formed(html: str) -> None:
    assert Page(html).open == []


def test_permalinks_resolve(html: str) -> None:
    page = Page(html)
    assert len(page.ids) == len(set(page.ids)), "an id occurs twice"
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_every_cell_has_a_permalink(html: str, results: Results) -> None:
    assert {f"cell-{cell.id}" for cell in results.cells} <= set(Page(html).ids)


# ------------------------------------------------------------ whole


@pytest.mark.parametrize("section", ["verdict", "dial", "step-size", "matrix", "targets", "table", "provenance"])
def test_sections(html: str, section: str) -> None:
    assert f'<section id="{section}">' in html
    assert f'<a href="#{section}">' in html


def test_provenance(html: str) -> None:
    for part in ("mcmc-bench run made_up", "3.99", "9.9", "budget = 4000"):
        assert part in html.split('<section id="provenance">')[1]


def test_figures_are_written(page: Path) -> None:
    names = {file.name for file in (page.parent / "figures").iterdir()}
    expected = {
        "verdict",
        "proportions",
        "dial",
        "step_size",
        "error",
        "target_two-modes",
        "traces_two-modes",
        "ranks_two-modes",
    }
    assert {f"{name}.png" for name in expected} <= names
    assert {"dial.svg", "step_size.svg"} <= names
    for file in (page.parent / "figures").glob("*.png"):
        with Image.open(file) as image:
            assert np.ptp(np.asarray(image.convert("L"))) > 100, f"{file.name} is blank"


def lines_of_table(html: str) -> dict[str, list[str]]:
    """Texts of the cells of the full table, by cell id."""
    body = html.split('<table id="numbers">', 1)[1].split("<tbody>", 1)[1].split("</tbody>", 1)[0]
    return {
        line.split('"')[0]: [re.sub(r"<[^>]*>", " ", part).strip() for part in re.split(r"<td[^>]*>", line)]
        for line in body.split('<tr id="cell-')[1:]
    }


def test_the_table_is_complete(html: str, results: Results) -> None:
    lines = lines_of_table(html)
    assert len(lines) == len(results.cells)
    for parts in lines.values():
        assert len(parts) == 4 + len(DEFINITIONS)
        assert all(parts)


def test_the_table_holds_the_numbers(html: str) -> None:
    mala = lines_of_table(html)["twomala"]
    for text in ("1.25", "0.75 (0.68–0.83) fl. 0.188", "−0.5", "0.31", "&gt; 3000"):
        assert any(part.startswith(text) for part in mala), text


def test_heads_explain(html: str) -> None:
    head = html.split('<table id="numbers">', 1)[1].split("</thead>", 1)[0]
    for definition in DEFINITIONS.values():
        assert definition.title in head
        assert definition.definition.replace("'", "&#39;") in head
    assert head.count("lower is better") == 5
    assert "i.i.d. floor 0.188" in head


def test_missing_numbers_have_a_word(html: str) -> None:
    single = lines_of_table(html)["roumala"]
    assert sum(part.startswith("not given") for part in single) == 2
    assert "the target has no separate known modes" in html.split('class="notes"')[1]
    without_scripts = re.sub(r"<script.*?</script>|data:[^\"]*", "", html, flags=re.DOTALL)
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", without_scripts)


def test_failures_are_shown_with_their_message(html: str) -> None:
    for outcome in ("raised", "timed out", "died", "not applicable"):
        line = lines_of_table(html)[f"bad-{outcome.replace(' ', '-')}"]
        assert f"what {outcome} means" in line[3]
        assert set(line[4:]) == {outcome}
        assert f"what {outcome} means" in html.split('<section id="matrix">', 1)[1].split("</section>", 1)[0]


def test_verdicts_are_words_and_signs(html: str) -> None:
    matrix = html.split('<section id="matrix">', 1)[1].split("</section>", 1)[0]
    assert re.search(r'class="sign fail"><b aria-hidden="true">✗</b> Weights<span class="hidden">: fail</span>', matrix)
    assert "made up: a third is in the wrong mode" in matrix


def test_csv_holds_everything(html: str, results: Results) -> None:
    address = re.search(r'href="data:text/csv;charset=utf-8,([^"]*)"', html)
    assert address is not None
    lines = list(csv.DictReader(io.StringIO(unquote(address[1].replace("&amp;", "&")))))
    assert [line["id"] for line in lines] == [cell.id for cell in results.cells]
    by_id = {line["id"]: line for line in lines}
    assert by_id["twomala"]["within_mode_variance_ratio"] == "0.9875"
    assert by_id["twomala"]["sliced_wasserstein_1_floor"] == "0.1875"
    assert by_id["twomala"]["gradients_to_low_error_censored"] == "true"
    assert by_id["roumala"]["mode_weight_error"] == ""
    assert by_id["bad-died"]["message"] == "what died means"
    for cell in results.cells:
        for row in cell.metric_values:
            if row.value is not None:
                assert float(by_id[cell.id][row.metric]) == pytest.approx(row.value, rel=1e-5)


def test_groups_of_columns_are_whole(results: Results) -> None:
    built = metric_table(results)
    assert [index for _, first, last in built.groups for index in range(first, last + 1)] == list(
        range(len(built.columns))
    )
    assert len({name for name, _, _ in built.groups}) == len(built.groups)


# ------------------------------------------------------------ other results


def test_hostile_texts_are_escaped(tmp_path: Path) -> None:
    results = made_up(tmp_path)
    hostile = '<script>alert("x")</script>'
    for cell in results.cells:
        cell.target = cell.target.replace(TWO_MODES, hostile)
        cell.message += hostile if cell.message else ""
        for row in cell.metric_values:
            row.note += hostile if row.note else ""
        for judgement in cell.verdicts.values():
            judgement.because += hostile
    facts = results.targets.pop(TWO_MODES)
    texts = dict.fromkeys(("description", "formula", "source", "truth_note"), hostile)
    results.targets = {hostile: replace(facts, name=hostile, **texts), **results.targets}
    results.title = results.description = results.suite = hostile
    results.experiments = dict.fromkeys(results.experiments, hostile)
    results.provenance |= {"command": hostile, "suite_text": hostile, "processor": hostile}
    html = written(results, tmp_path)
    assert html.count("<script>") == 1, "only the page's own"
    assert "alert(&#34;x&#34;)" in html
    assert Page(html).open == []
    for file in (tmp_path / "figures").glob("*.svg"):
        assert "<script" not in file.read_text(encoding="utf-8")


def test_only_failures(tmp_path: Path) -> None:
    results = made_up(tmp_path)
    results.cells = [cell for cell in results.cells if cell.outcome is not Outcome.FINISHED]
    html = written(results, tmp_path)
    assert "None of the 4 cells of these results gave numbers." in html
    assert "what timed out means" in html
    assert '<section id="dial">' not in html
    assert '<section id="step-size">' not in html


@pytest.mark.parametrize(("resumed", "expected"), [(0, "in 40 s"), (1, ", 1 cell kept from an earlier run")])
def test_seconds_are_of_a_whole_run(tmp_path: Path, resumed: int, expected: str) -> None:
    results = made_up(tmp_path)
    results.provenance |= {"started": "2026-01-02T03:04:05Z", "seconds": 40.0, "resumed": resumed}
    head = write_report(results, tmp_path).read_text(encoding="utf-8").split('<p class="meta">')[1].split("</p>")[0]
    assert expected in head
    assert ("40 s" in head) == (resumed == 0)


def test_no_cells_at_all(tmp_path: Path) -> None:
    results = made_up(tmp_path)
    results.cells, results.targets, results.experiments, results.definitions = [], {}, {}, {}
    html = written(results, tmp_path)
    assert "These results hold no cells." in html
    assert Page(html).open == []


def test_one_replicate(tmp_path: Path) -> None:
    results = made_up(tmp_path)
    for cell in results.cells:
        cell.replicates = 1
        for row in cell.metric_values:
            row.low = row.high = None
        for curve in cell.curves.values():
            if "weights" in curve:
                curve["low"] = curve["high"] = curve["value"]
    html = written(results, tmp_path)
    assert "16 chains end at" in html
    assert (
        lines_of_table(html)["twomala"][4 + [c.key for c in metric_table(results).columns].index("r_hat_max")] == "1.25"
    )


def test_without_draws(tmp_path: Path) -> None:
    results = made_up(tmp_path / "here")
    results.folder = tmp_path / "elsewhere"
    html = written(results, tmp_path)
    assert "data:image/png" not in html
    assert '<section id="targets">' in html


def test_a_failure_of_arviz_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(positions: object) -> None:
        raise AttributeError("made-up incompatibility")

    monkeypatch.setattr("mcmc_bench.report.figures.traces.traces_and_ranks", broken)
    html = written(made_up(tmp_path), tmp_path)
    assert "ArviZ could not draw traces and ranks: AttributeError: made-up incompatibility" in html
    assert "data:image/png" not in html


def test_curves_with_gaps(tmp_path: Path) -> None:
    results = made_up(tmp_path)
    for cell in results.cells:
        if "error" in cell.curves:
            cell.curves["error"]["median"] = [None, 0.5, None]  # type: ignore[list-item]
            cell.curves["error"]["high"] = [None, None, None]  # type: ignore[list-item]
        if cell.swept and cell.settings["temperature"] == 0.0:
            for row in cell.metric_values:
                row.value = row.low = row.high = None
                row.note = "3 of 64 chains became non-finite"
    html = written(results, tmp_path)
    assert "temperature 0: not given: 3 of 64 chains became non-finite" in html


def test_stored_results_give_the_same_page(tmp_path: Path) -> None:
    results = made_up(tmp_path)
    results.cells = results.cells[:6]
    del results.targets["round(dim=3)"]
    results.save(tmp_path)
    assert written(Results.load(tmp_path), tmp_path / "again") == written(results, tmp_path / "first")


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    results = made_up(tmp_path)
    results.cells = results.cells[:3]
    write_report(results, tmp_path, lambda *told: seen.append(told))
    done = [one for _, one, _ in seen]
    assert done == sorted(done)
    assert set(done) == set(range(len(find_sections()) + 2))
    assert seen[-1] == ("done", done[-1], done[-1])
    assert TWO_MODES in [what for what, _, _ in seen]
