"""To add a metric, one writes one file: everything else finds it and what is said of it there."""

from __future__ import annotations

import sys

import pytest
from made_up_results import made_up
from typer.testing import CliRunner

from mcmc_bench import metrics
from mcmc_bench.cli.app import app
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.results import Cell, Judgement, Results
from mcmc_bench.core.target import Target
from mcmc_bench.metrics import groups, listing
from mcmc_bench.report import write_report
from mcmc_bench.report.sections.table import to_csv
from mcmc_bench.report.table import metric_table

from .conftest import evaluate

IN_A_GROUP_THAT_EXISTS = '''
"""How far chains get."""

import numpy as np

from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics.declaration import metric
from mcmc_bench.metrics.groups.modes import GROUP
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured

TIMES = 2


@metric(GROUP, "Way of a chain", "higher", ideal=7.0, percent=True, printed=True, card="way", verdict="spread", beside="way {}")
def way_of_a_chain(measured: Measured) -> MetricValue:
    """Mean distance from start to end, {TIMES} times."""
    ways = [TIMES * float(np.linalg.norm(draws.end - draws.start, axis=1).mean()) for draws in measured.replicates]
    return over_replicates(ways, lowest=0.0)
'''
IN_A_NEW_GROUP = '''
"""Numbers of the year."""

from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics.declaration import Group, curve, metric
from mcmc_bench.metrics.measured import Measured, NotGiven

GROUP = Group("calendar", place=35)


@metric(GROUP, "Year", "target")
def year(measured: Measured) -> MetricValue:
    """The year of Markov's birth."""
    return MetricValue("", 1856.0, replicates=len(measured.replicates))


@metric(GROUP, "Month", "target")
def month(measured: Measured) -> MetricValue:
    """The month of it."""
    raise NotGiven("depends on the calendar", floor=6.0)


@metric(GROUP, "Day", "target")
def day(measured: Measured) -> MetricValue | None:
    """The day of it."""
    return None


@curve(GROUP)
def years(measured: Measured) -> dict[str, list[float]]:
    """Years."""
    return {"year": [1856.0, 1922.0]}
'''


@pytest.fixture
def add(tmp_path, monkeypatch):
    """A function that adds a file to the folder of metrics."""
    folder = tmp_path / "groups"
    folder.mkdir()
    monkeypatch.setattr(groups, "__path__", [*groups.__path__, str(folder)])

    def forget() -> None:
        listing.metrics.cache_clear()
        listing.curves.cache_clear()

    def write(name: str, text: str) -> None:
        (folder / f"{name}.py").write_text(text)
        forget()

    yield write
    for path in folder.glob("*.py"):
        sys.modules.pop(f"{groups.__name__}.{path.stem}", None)
    forget()


def test_one_file_is_a_metric_everywhere(add, toy: Target, spoiled: dict[str, list[Draws]], tmp_path) -> None:
    add("way", IN_A_GROUP_THAT_EXISTS)
    known = metrics.definitions()
    assert known["way_of_a_chain"].definition == "Mean distance from start to end, 2 times."
    assert [key for key, one in known.items() if one.group == "modes"][-1] == "way_of_a_chain"
    value = evaluate(toy, spoiled["independent"], "modes")["way_of_a_chain"]
    assert value.value > 1.0
    assert value.low < value.value < value.high
    assert "way_of_a_chain" not in evaluate(toy, spoiled["independent"], "cost")

    listed = CliRunner().invoke(app, ["list", "metrics"], env={"COLUMNS": "300"})
    assert "way_of_a_chain" in listed.output
    assert "Mean distance from start to end, 2 times." in listed.output

    results = made_up(tmp_path / "results")
    results.definitions = known
    cell: Cell = next(cell for cell in results.cells if cell.outcome == "finished" and cell.target == "two_modes")
    cell.metric_values.append(value)
    cell.verdicts["spread"] = Judgement("pass", "made up")
    results.save(tmp_path / "results")
    stored = Results.load(tmp_path / "results")  # the schema holds
    column = next(column for column in metric_table(stored).columns if column.key == "way_of_a_chain")
    assert (column.title, column.group, column.printed) == ("Way of a chain", "modes", True)
    assert "nearest to" in column.direction or "higher is better" in column.direction
    header, *lines = to_csv(stored).splitlines()
    place = header.split(",").index("way_of_a_chain")
    assert [line.split(",")[place] for line in lines if line.startswith(f"{cell.id},")] == [f"{value.value:.6g}"]
    page = write_report(stored, tmp_path / "page").read_text(encoding="utf-8")
    assert "Mean distance from start to end, 2 times." in page
    assert "<dt>way</dt>" in page.replace("\n", "")
    assert f"way {value.value:.0%}" in page


def test_one_file_is_a_group(add, toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    add("calendar", IN_A_NEW_GROUP)
    names = metrics.group_names()
    assert names.index("accuracy") < names.index("calendar") < names.index("convergence")
    assert list(evaluate(toy, spoiled["independent"], "calendar")) == ["year", "month"]
    replicates = spoiled["independent"]
    values, curves = metrics.evaluate_cell(
        replicates, toy, metrics.Reference.of(toy), budget=400, warmup_share=0.0, groups=["calendar"]
    )
    assert [one.value for one in values] == [1856.0, None]
    assert (values[1].note, values[1].floor, values[1].replicates) == ("depends on the calendar", 6.0, len(replicates))
    assert curves == {"years": {"year": [1856.0, 1922.0]}}


def test_two_metrics_of_one_name_are_refused(add) -> None:
    add("calendar", IN_A_NEW_GROUP)
    add("clock", IN_A_NEW_GROUP)
    with pytest.raises(ValueError, match="two metrics are called 'year'"):
        metrics.definitions()


def test_two_groups_of_one_name_are_refused(add) -> None:
    add("calendar", IN_A_NEW_GROUP)
    add("clock", IN_A_NEW_GROUP.replace("def ", "def other_").replace("place=35", "place=36"))
    with pytest.raises(ValueError, match="two groups of metrics are called 'calendar'"):
        metrics.definitions()


def test_every_metric_says_what_it_is() -> None:
    for key, one in metrics.definitions().items():
        assert one.title, key
        assert one.definition.endswith("."), key
        assert "{" not in one.definition, key
        assert one.beside.count("{}") == 1, key


def test_no_two_metrics_stand_beside_one_verdict() -> None:
    behind = [one.verdict for one in metrics.definitions().values() if one.verdict]
    assert len(set(behind)) == len(behind)
    assert set(behind) <= metrics.verdict_definitions().keys()
