"""Charts show what they are given: right places, nothing invented where there is no number, no state left behind."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest
from made_up_results import made_up

from mcmc_bench.core.results import Results
from mcmc_bench.report import write_report
from mcmc_bench.report.figures import curves, picture, svg
from mcmc_bench.report.figures.chart import Chart, RuleLine, Series, limits, ticks
from mcmc_bench.report.figures.drawing import Drawing, Mark, Strokes, Text
from mcmc_bench.report.figures.layout import LEFT, draw
from mcmc_bench.report.figures.palette import INK, MUTED
from mcmc_bench.report.figures.sheet import LegendKey, arrange
from mcmc_bench.report.sections import dial as dial_section
from mcmc_bench.report.sections import step_size
from mcmc_bench.report.selection import Selection


def marks(drawing: Drawing) -> list[Mark]:
    return [part for part in drawing.above if isinstance(part, Mark)]


def line(**further: object) -> Chart:
    series = Series([0.0, 1.0, 2.0], [0.0, 5.0, 10.0], INK, "one", marker="circle")
    return Chart("A title", "described", [series], x_limits=(0.0, 2.0), y_limits=(0.0, 10.0), **further)  # type: ignore[arg-type]


def test_positions_are_linear() -> None:
    (x0, y0), (x1, y1), (x2, y2) = (mark.at for mark in marks(draw(line())))
    assert x0 == LEFT
    assert x2 - x1 == pytest.approx(x1 - x0)
    assert y0 > y1 > y2, "up is less"
    assert y1 - y2 == pytest.approx(y0 - y1)


def test_positions_on_log_scales_are_logarithmic() -> None:
    series = Series([1.0, 10.0, 100.0], [0.1, 1.0, 10.0], INK, marker="circle")
    chart = Chart("", "", [series], x_scale="log", y_scale="log", x_limits=(1.0, 100.0), y_limits=(0.1, 10.0))
    (x0, y0), (x1, y1), (x2, y2) = (mark.at for mark in marks(draw(chart)))
    assert x2 - x1 == pytest.approx(x1 - x0)
    assert y1 - y2 == pytest.approx(y0 - y1)


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_what_is_missing_is_a_cross_and_no_point_of_the_line(missing: float | None) -> None:
    series = Series([0.0, 1.0, 2.0], [3.0, missing, 5.0], INK, marker="circle", notes=["a", "gone", "c"])
    drawing = draw(Chart("", "", [series]))
    assert [(mark.shape, mark.note) for mark in marks(drawing)] == [("circle", "a"), ("cross", "gone"), ("circle", "c")]
    lines = [part.lines[0] for part in drawing.inside if isinstance(part, Strokes)]
    assert [len(points) for points in lines] == [2]


def test_labels_of_rules_stay_within_the_chart() -> None:
    for value in (0.0, 1.0, 2.0):
        drawing = draw(line(rules=[RuleLine(value, "a long label", vertical=True)]))
        label = next(part for part in drawing.above if isinstance(part, Text))
        width = 5.5 * len(label.text)
        assert label.at[0] - (width if label.anchor == "end" else 0) >= 0
        assert label.at[0] + (width if label.anchor == "start" else 0) <= drawing.width


def test_labels_of_ticks_do_not_run_into_each_other() -> None:
    values = [0.02, 0.021, 0.022, 0.5, 1.0]
    chart = line(x_ticks=values, x_tick_labels=[f"{value:g}" for value in values])
    texts = [
        part for part in draw(chart).below if isinstance(part, Text) and part.role == "tick" and part.anchor == "middle"
    ]
    places = [(text.at[0] - 3 * len(text.text), text.at[0] + 3 * len(text.text)) for text in texts]
    assert all(right <= left for (_, right), (left, _) in itertools.pairwise(places))
    assert len(texts) == 3


@pytest.mark.parametrize(
    ("low", "high", "scale"), [(0.0, 1.0, "linear"), (-20.0, 15.0, "linear"), (1e-4, 3.0, "log"), (0.2, 0.9, "log")]
)
def test_ticks_are_few_and_inside(low: float, high: float, scale: str) -> None:
    found = ticks(low, high, scale)  # type: ignore[arg-type]
    assert 2 <= len(found) <= 7
    assert all(low <= value <= high for value in found)


def test_limits_of_nothing() -> None:
    assert limits([], "linear") == (0.0, 1.0)
    low, high = limits([math.nan, -1.0, 0.0], "log")
    assert 0 < low < high
    low, high = limits([3.0], "linear")
    assert low < 3.0 < high


def test_svg_uses_theme_colours_and_escapes() -> None:
    series = Series([0.0, 1.0], [0.0, 1.0], MUTED, marker="square", notes=["<b>", "&"])
    text = svg.chart(Chart('a "title" <i>', "", [series]))
    assert "var(--muted)" in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert "<title>&lt;b&gt;</title>" in text


def test_files_and_page_have_the_same_parts() -> None:
    arranged = arrange("A heading", [[line(), None], [line()]])
    assert svg.sheet(arranged, [INK]).count('class="title"') == 2
    assert picture.sheet(arranged).startswith(b"\x89PNG")


def test_a_line_goes_through_its_markers() -> None:
    chart = line()
    drawing = draw(replace(chart, series=[replace(chart.series[0], shift=7.0)]))
    (points,) = [part.lines[0] for part in drawing.inside if isinstance(part, Strokes)]
    assert points == [mark.at for mark in marks(drawing)]
    assert points[0][0] == LEFT + 7.0


@pytest.mark.parametrize("names", [["ula", "mala"], ["a sampler"] * 15, ["x" * 80, "hmc"]])
def test_a_legend_stays_on_its_sheet(names: list[str]) -> None:
    arranged = arrange("A heading", [[line(), line()]], [LegendKey(name, INK, "circle") for name in names])
    keys = [part for part in arranged.parts if isinstance(part, Text) and part.role == "label"]
    assert [key.text for key in keys] == names
    assert all(key.at[0] + 7.5 * len(key.text) <= arranged.width for key in keys)
    for one, next_one in itertools.pairwise(keys):
        assert one.at[0] + 7.5 * len(one.text) < next_one.at[0] or one.at[1] < next_one.at[1]
    assert max(key.at[1] for key in keys) < min(top for _, top, _ in arranged.placed)


# ------------------------------------------------------------ from results


@pytest.fixture
def dial(results: Results) -> Chart:
    selection = Selection(results)
    cells = selection.explorations("temperature")["two_modes"]
    chart = curves.against_setting(selection, dial_section.AXIS, dial_section.METRICS[0], cells)
    assert chart is not None
    return chart


def test_the_dial_shows_rows_intervals_and_closed_forms(dial: Chart) -> None:
    by_label = {series.label: series for series in dial.series}
    assert set(by_label) == {"ULA", "ULA, closed form", "MALA", "MALA, closed form"}
    assert by_label["MALA"].x == [0.0, 0.5, 1.0]
    assert by_label["MALA"].y == pytest.approx([0.002, 0.49575, 0.9895])
    assert by_label["MALA"].low == pytest.approx([0.0018, 0.446175, 0.89055])
    assert by_label["MALA, closed form"].y == pytest.approx([0.0, 0.5, 0.99])
    assert by_label["MALA, closed form"].kind == "dashed"
    assert [(rule.value, rule.vertical) for rule in dial.rules] == [(1.0, False), (1.0, True)]


def test_the_distance_has_its_floor(results: Results) -> None:
    selection = Selection(results)
    chart = curves.against_setting(
        selection, dial_section.AXIS, dial_section.METRICS[2], selection.explorations("temperature")["two_modes"]
    )
    assert chart is not None
    assert [rule.value for rule in chart.rules if not rule.vertical] == [0.1875]


def test_acceptance_of_what_rejects_nothing_is_left_out(results: Results) -> None:
    selection = Selection(results)
    cells = selection.explorations("step_size")["two_modes"]
    for cell in cells:
        row = cell.metric("acceptance_rate")
        assert row is not None
        row.value = 1.0 if cell.sampler == "ula" else row.value
    acceptance = next(metric for metric in step_size.METRICS if metric.metric == "acceptance_rate")
    chart = curves.against_setting(selection, step_size.AXIS, acceptance, cells)
    assert chart is not None
    assert [series.label for series in chart.series] == ["MALA"]


def test_curves_are_found_by_what_was_swept(results: Results) -> None:
    for cell in results.cells:
        cell.experiment = {"dial": "renamed", "step_size": "renamed too"}.get(cell.experiment, cell.experiment)
    assert set(Selection(results).explorations("temperature")) == {"two_modes", "round(dim=3)"}
    for cell in results.cells:
        cell.swept = []
    assert Selection(results).explorations("temperature") == {}


def test_competing_sweeps_stand_in_where_nothing_was_explored(results: Results) -> None:
    for cell in results.cells:
        if cell.experiment == "step_size":
            cell.sweep, cell.selected = "a sweep", cell.settings["step_size"] == 0.4
    selection = Selection(results)
    assert set(selection.explorations("step_size")) == {"two_modes", "round(dim=3)"}
    compared = next(panel for panel in selection.panels if panel.experiment == "step_size")
    assert {cell.settings["step_size"] for cell in compared.cells} == {0.4}, "only the best of a sweep is compared"


def test_samplers_that_look_alike_have_charts_of_their_own(results: Results) -> None:
    """Lines of one colour and marker in one chart could not be told apart."""
    selection = Selection(results)
    cells = selection.explorations("step_size")["two_modes"]
    assert len(selection.told_apart(cells)) == 1
    copies = [replace(cell, sampler=f"{cell.sampler}_{k}") for k in range(9) for cell in cells]
    results.cells = copies
    groups = Selection(results).told_apart(copies)
    assert sorted(cell.sampler for group in groups for cell in group) == sorted(cell.sampler for cell in copies)
    looks = Selection(results).looks
    for group in groups:
        shown = {cell.sampler for cell in group}
        assert len({(looks[name].colour.light, looks[name].marker) for name in shown}) == len(shown)
    assert 3 <= len(groups) <= 9


def test_each_sampler_looks_the_same_and_unlike_the_others(results: Results) -> None:
    looks = Selection(results).looks
    assert len({look.colour for look in looks.values()}) == len(looks)
    assert len({look.marker for look in looks.values()}) == len(looks)


def test_no_state_of_matplotlib_changes(tmp_path: Path) -> None:
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams)
    write_report(made_up(tmp_path), tmp_path)
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_contours_are_stored_once(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert len(re.findall(r'<g id="contours-', html)) == 1
    assert len(re.findall(r'<use href="#contours-', html)) > 5
