"""The accepted baselines over time as one HTML file: how efficient each cell was, run after run.

Knows the lines that accepting a run writes, and what the report draws with. Must not know how anything is decided.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mcmc_bench.comparison.model import SEVERITY
from mcmc_bench.core.results import ResultsError
from mcmc_bench.report import numbers
from mcmc_bench.report.comparison.page import render, save
from mcmc_bench.report.figures import svg
from mcmc_bench.report.figures.chart import Chart, RuleLine, Series, limits
from mcmc_bench.report.figures.palette import BLUE, BROWN, GREEN, INK, PINK, VERMILION, VIOLET, Colour

#: Of the cells on one chart.
COLOURS = tuple(
    Colour(f"s{index}", *shades) for index, shades in enumerate((BLUE, VERMILION, GREEN, PINK, VIOLET, BROWN))
)
MARKERS = ("circle", "square", "diamond", "triangle", "pentagon", "inverted", "plus")
#: Efficiency is shown for this many evaluations: small whole numbers are easier to compare than thousandths.
EVALUATIONS = 1000
#: A file may hold numbers that no float can.
LARGEST = 1e300


@dataclass(frozen=True)
class StoredEstimate:
    """A number with its interval, as far as it has one."""

    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return numbers.interval(self.value, self.low, self.high)


@dataclass
class Track:
    """One cell over the accepted runs that have it."""

    label: str
    runs: list[int] = field(default_factory=list)
    efficiency: list[StoredEstimate | None] = field(default_factory=list)
    bias: list[float | None] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, str]:
        """Sampler and target, the chart that it belongs on."""
        head, _, tail = self.label.partition(" on ")
        return head.partition("(")[0], tail.rpartition(", ")[0] or tail

    @property
    def name(self) -> str:
        """Its settings and start, which tell it from the other cells on its chart."""
        head, _, tail = self.label.partition(" on ")
        settings, start = head.partition("(")[2].removesuffix(")"), tail.rpartition(", ")[2]
        return ", ".join(part for part in (settings, start) if part)

    @property
    def measured(self) -> list[StoredEstimate]:
        """The efficiencies that are known."""
        return [estimate for estimate in self.efficiency if estimate is not None]

    @property
    def change(self) -> float | None:
        """The latest known efficiency over the first."""
        return self.measured[-1].value / self.measured[0].value if self.measured and self.measured[0].value else None


@dataclass(frozen=True)
class SamplerChart:
    """The chart of one sampler on one target."""

    sampler: str
    target: str
    drawn: Markup
    legend: list[tuple[Markup, str]]


@dataclass(frozen=True)
class Accepted:
    """One accepted run."""

    number: int
    date: str
    time: str
    commit: str
    suite: str
    verdict: str
    mean: StoredEstimate | None
    cells: int
    largest_bias: float | None


def read_history(file: Path) -> list[dict[str, Any]]:
    """The lines of a history, oldest first.

    Raises:
        ResultsError: the file cannot be read, or a line of it is not what accepting a run writes.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{file} cannot be read: {error}") from error
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ResultsError(f"{file}, line {number}: no JSON: {error}") from error
        cells = content.get("cells") if isinstance(content, dict) else None
        if not isinstance(cells, dict) or not all(isinstance(cell, dict) for cell in cells.values()):
            raise ResultsError(f"{file}, line {number}: not a line of a history: it has no cells")
        lines.append(content)
    return lines


def write_history(lines: list[dict[str, Any]], file: Path) -> Path:
    """Write the page of accepted baselines over time.

    It asks for nothing from anywhere and reads without JavaScript.

    Args:
        lines: of the accepted runs, oldest first; see `read_history`.
        file: the page; its folder is made if it does not exist.

    Returns:
        The path of the page.
    """
    runs = [_accepted(number, line) for number, line in enumerate(lines, 1)]
    tracks: dict[str, Track] = {}
    for run, line in zip(runs, lines, strict=True):
        for match, cell in line.get("cells", {}).items():
            track = tracks.setdefault(match, Track(""))
            track.label = str(cell.get("label") or match)
            track.runs.append(run.number)
            track.efficiency.append(_estimate(cell.get("real_ess_per_evaluation"), EVALUATIONS))
            track.bias.append(_number(cell.get("largest_bias")))
    groups: dict[tuple[str, str], list[Track]] = {}
    for track in sorted(tracks.values(), key=lambda track: track.place):
        groups.setdefault(track.place, []).append(track)
    page = render(
        "history.html.j2",
        COLOURS,
        runs=runs,
        suites=list(dict.fromkeys(run.suite for run in runs)),
        tracks=list(tracks.values()),
        panels=[
            _sampler_chart(place, group, runs)
            for place, group in groups.items()
            if any(track.measured for track in group)
        ],
        unmeasured=[track.label for track in tracks.values() if not track.measured],
        mean=_mean_chart(runs),
        evaluations=EVALUATIONS,
        severity=SEVERITY,
    )
    return save(file, page)


# ------------------------------------------------------------ lines


def _accepted(number: int, line: dict[str, Any]) -> Accepted:
    day, _, time = str(line.get("accepted") or "").partition("T")
    cells = line.get("cells", {})
    biases = [bias for cell in cells.values() if (bias := _number(cell.get("largest_bias"))) is not None]
    return Accepted(
        number,
        day or "no date",
        time,
        str(line.get("commit") or "not given"),
        str(line.get("suite") or "not given"),
        str(line.get("verdict") or "not given"),
        _estimate(line.get("geometric_mean")),
        len(cells),
        max(biases, default=None),
    )


def _estimate(content: Any, factor: float = 1.0) -> StoredEstimate | None:
    if not isinstance(content, dict):
        return None
    value, low, high = (
        None if (number := _number(content.get(name))) is None else factor * number for name in ("value", "low", "high")
    )
    return None if value is None else StoredEstimate(value, low, high)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < LARGEST else None


# ------------------------------------------------------------ charts


def _sampler_chart(place: tuple[str, str], tracks: Sequence[Track], runs: Sequence[Accepted]) -> SamplerChart:
    """One chart; its cells stand a little apart within a run, so that their intervals do not hide each other."""
    series, legend = [], []
    apart = min(0.08, 0.6 / len(tracks))
    for index, track in enumerate(tracks):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        series.append(
            Series(
                [run + apart * (index - (len(tracks) - 1) / 2) for run in track.runs],
                [_part(estimate, "value") for estimate in track.efficiency],
                colour,
                track.label,
                low=[_part(estimate, "low") for estimate in track.efficiency],
                high=[_part(estimate, "high") for estimate in track.efficiency],
                marker=marker,
                notes=[
                    f"{track.label}, run {run}: {estimate or 'not measured'}"
                    for run, estimate in zip(track.runs, track.efficiency, strict=True)
                ],
            )
        )
        legend.append((Markup(svg.swatch(marker, colour)), track.name))
    values = [estimate for track in tracks for estimate in track.measured]
    highest = max(max(estimate.value, min(estimate.high or 0.0, 3.0 * estimate.value)) for estimate in values)
    latest = "; ".join(f"{track.name}: latest {track.measured[-1]}" for track in tracks if track.measured)
    chart = _chart(
        runs,
        series,
        f"real ESS of a chain per {EVALUATIONS} evaluations",
        f"Efficiency of {place[0]} on {place[1]} over {numbers.count(len(runs), 'accepted run')}. {latest}",
        (0.0, 1.08 * highest or 1.0),
    )
    return SamplerChart(*place, _drawn(chart), legend)


def _mean_chart(runs: Sequence[Accepted]) -> Markup | None:
    """Of each run against the baseline before it."""
    known = [run for run in runs if run.mean is not None]
    if not known:
        return None
    series = [
        Series(
            [run.number for run in known],
            [_part(run.mean, "value") for run in known],
            INK,
            low=[_part(run.mean, "low") for run in known],
            high=[_part(run.mean, "high") for run in known],
            marker="circle",
            notes=[f"run {run.number}: {run.mean}" for run in known],
        )
    ]
    means = [run.mean for run in known if run.mean is not None]
    ends = [1.0, *(end for mean in means for end in (mean.value, mean.low, mean.high) if end is not None)]
    low, high = min(mean.value for mean in means) / 2.0, max(mean.value for mean in means) * 2.0
    chart = _chart(
        runs,
        series,
        "gradients needed, candidate over the baseline before",
        f"Geometric mean of the gradients needed, over {numbers.count(len(runs), 'accepted run')}; latest {means[-1]}",
        limits([min(max(end, low), high) for end in ends], "linear"),
        [RuleLine(1.0, "as before")],
        420.0,
    )
    return _drawn(chart)


def _chart(
    runs: Sequence[Accepted],
    series: list[Series],
    y_label: str,
    description: str,
    y_limits: tuple[float, float],
    rules: Sequence[RuleLine] = (),
    width: float = 340.0,
) -> Chart:
    return Chart(
        "",
        description,
        series,
        x_label="accepted run",
        y_label=y_label,
        rules=list(rules),
        x_limits=(0.5, len(runs) + 0.5),
        y_limits=y_limits,
        x_ticks=[run.number for run in runs],
        x_tick_labels=[run.date[:10] for run in runs],
        width=width,
    )


def _part(estimate: StoredEstimate | None, name: str) -> float | None:
    return None if estimate is None else getattr(estimate, name)


def _drawn(chart: Chart) -> Markup:
    return Markup(svg.chart(chart))
