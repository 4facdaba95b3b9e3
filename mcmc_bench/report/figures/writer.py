"""Writes the figure files of a report: each as PNG, and as SVG where that is small.

Must not know what a figure shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mcmc_bench.core.files import write_atomically
from mcmc_bench.report.figures import palette, picture, svg
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.figures.palette import Look
from mcmc_bench.report.figures.sheet import LegendKey, Sheet, arrange

#: Bytes above which a figure is not stored as SVG too.
SMALL = 40_000


class FigureWriter:
    """Writes into the folder ``figures`` of a report."""

    def __init__(self, folder: Path, looks: Mapping[str, Look]) -> None:
        self.folder, self.looks = folder / "figures", looks

    def charts(
        self,
        name: str,
        heading: str,
        rows: Sequence[Sequence[Chart | None]],
        samplers: Sequence[str] = (),
        row_titles: Sequence[str] = (),
    ) -> None:
        """Write rows of charts as one figure, with a legend of `samplers`."""
        looks = [self.looks[sampler] for sampler in dict.fromkeys(samplers)]
        legend = [LegendKey(look.name, look.colour, look.marker) for look in looks]
        self.sheet(name, arrange(heading, rows, legend, row_titles))

    def sheet(self, name: str, arranged: Sheet) -> None:
        """Write charts that are already arranged."""
        self.png(name, picture.sheet(arranged))
        vector = svg.sheet(arranged, palette.of_page(self.looks.values())).encode("utf-8")
        if len(vector) < SMALL:
            write_atomically(self.folder / f"{name}.svg", vector)

    def png(self, name: str, content: bytes) -> None:
        """Write a finished picture."""
        write_atomically(self.folder / f"{name}.png", content)
