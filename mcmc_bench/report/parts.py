"""What a page is made of: cards, rows of charts, films, and the sections that hold them.

Charts are kept beside their drawings, so that figures are written from the same ones. Must not know how any is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.sections import samples, table
from mcmc_bench.report.selection import Look, Panel


@dataclass(frozen=True)
class Card:
    """One cell's draws and log p, and its numbers."""

    cell: Cell | None
    look: Look | None
    density: Chart | None
    histogram: Chart | None
    drawn: list[Markup] = field(default_factory=list)


@dataclass(frozen=True)
class Curves:
    """Charts of one target that belong side by side."""

    target: str
    charts: list[Chart]
    drawn: list[Markup]
    samplers: list[str]
    summary: Markup | str = ""
    is_part: bool = False  # the target has further rows, with samplers that look alike

    @property
    def title(self) -> str:
        """Of the row in a picture."""
        names = ", ".join(numbers.sampler_name(sampler) for sampler in self.samplers)
        return f"{self.target}: {names}" if self.is_part else self.target


@dataclass(frozen=True)
class Film:
    """Chains on their way down the noise levels."""

    title: str
    drawn: Markup


@dataclass(frozen=True)
class Examples:
    """What is shown of targets that were learned from data, besides their cards."""

    said: samples.Learned
    hero: list[Card]
    films: list[Film]
    classes: Markup | None
    classified: list[str]  # the samplers that it shows
    table: table.Table
    #: Of the chains of a replicate, those that a grid shows.
    shown: int


@dataclass(frozen=True)
class TargetSection:
    """All that is shown of one target."""

    target: str
    slug: str
    rows: list[tuple[Panel, list[Card]]]
    curves: Curves
    chains: list[tuple[str, Markup]]
    axis: str  # what `chains` shows
