"""Puts the page together and writes it with its figures.

Knows the parts of the report. Must not know any particular target or sampler.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from mcmc_bench.report import chains, picture, plots, svg, table, verdict, words
from mcmc_bench.report.chart import GRID, INK, MUTED, SHADE, Chart
from mcmc_bench.report.choose import Choice, Look, Panel, finished
from mcmc_bench.results import Cell, Results, write_atomically

Progress = Callable[[str, int, int], None]
TEMPLATES = Path(__file__).parent / "templates"
#: Size of the drawings of draws and of log p, in pixels of the page.
DRAWS_SIZE, HISTOGRAM_SIZE = (200, 200), (200, 70)
#: What stands under the drawings of a cell: metric, words, verdict that judges it.
FACTS = (
    ("within_mode_variance_ratio", "spread", "spread"),
    ("mode_weight_error", "mass in wrong mode", "weights"),
    ("sliced_wasserstein_1", "distance", ""),
    ("efficiency", "efficiency", "efficiency"),
)


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


@dataclass(frozen=True)
class TargetSection:
    """All that is shown of one target."""

    target: str
    slug: str
    rows: list[tuple[Panel, list[Card]]]
    curves: Curves
    chains: list[tuple[str, Markup]]


def write_report(results: Results, folder: str | Path, progress: Progress | None = None) -> Path:
    """Write ``index.html`` and ``figures/`` into `folder`.

    The page asks for nothing from anywhere, works from a mail attachment, and reads without JavaScript.

    Args:
        results: what to report; its draws are read from the folder it was loaded from.
        folder: made if it does not exist.
        progress: called with what is done next, the number of finished steps and the number of all.

    Returns:
        The path of the page.
    """
    return _Page(results, Path(folder), progress or (lambda what, done, count: None)).write()


class _Page:
    """One report being written."""

    def __init__(self, results: Results, folder: Path, progress: Progress) -> None:
        self.results, self.folder, self.progress = results, folder, progress
        self.choice = Choice(results)
        self.shared: set[str] = set()  # contours that the page already has
        self.slugs: dict[str, str] = {}
        for target in results.targets:
            slug = _slug(target)
            self.slugs[target] = slug if slug not in self.slugs.values() else f"{slug}-{len(self.slugs)}"
        self.done, self.steps = 0, 6 + len(results.targets)

    def write(self) -> Path:
        said = verdict.read(self.choice)
        self._step("verdict")
        hero = self._hero(said)
        modes = self._imbalance(said)
        self._step("noise dial")
        dial = self._curves("temperature", plots.DIAL)
        self._step("step size")
        step_size = self._curves("step_size", plots.STEP_SIZE)
        sections = []
        for target in self.results.targets:
            self._step(target)
            sections.append(self._target(target))
        self._step("figures")
        self._save_curves(dial, "dial", "The noise dial")
        self._save_curves(step_size, "step_size", "The step size: bias or rejection")
        self._save_errors(sections)
        self._step("page")
        page = self._render(said=said, hero=hero, modes=modes, dial=dial, step_size=step_size, sections=sections)
        file = self.folder / "index.html"
        write_atomically(file, page.encode("utf-8"))
        self._step("done")
        return file

    def _step(self, what: str) -> None:
        self.progress(what, min(self.done, self.steps), self.steps)
        self.done += 1

    # ------------------------------------------------------------ parts

    def _hero(self, said: verdict.Verdict) -> list[Card]:
        """The headline in pictures: exact draws, then without noise, then with it."""
        if said.headline is None:
            return []
        cards = [self._card(said.headline.target, None)]
        cards += [self._card(said.headline.target, cell) for cell in (said.headline.without, *said.headline.with_noise)]
        cards = [card for card in cards if card.density is not None]
        self._save_cards([cards], "verdict", f"{said.headline.target}: without noise and with it", [])
        return cards

    def _imbalance(self, said: verdict.Verdict) -> Markup | None:
        if said.imbalance is None:
            return None
        cells = [said.imbalance.cell, *said.imbalance.others]
        if said.headline is not None:
            optimiser = next((c.without for c in said.contrasts if c.target == said.imbalance.cell.target), None)
            cells = [optimiser, *cells] if optimiser is not None else cells
        chart = plots.occupancy(self.choice, cells)
        if chart is None:
            return None
        title = f"{said.imbalance.cell.target}: share of draws in each mode"
        picture.save(
            self._figure("proportions"), [[chart]], title=title, size=(4.4, 2.7), vector=True,
            legend=self._legend([cell.sampler for cell in cells]),
        )  # fmt: skip
        return Markup(svg.draw(chart))

    def _curves(self, setting: str, metrics: Sequence[tuple[str, str, str]]) -> list[Curves]:
        """A row of charts for each target whose cells turn `setting`; targets with closed forms first."""
        found = []
        for target, cells in self.choice.explorations(setting).items():
            charts = [plots.against(self.choice, setting, *metric, cells) for metric in metrics]
            shown = [chart for chart in charts if chart is not None]
            if shown:
                samplers = list(dict.fromkeys(cell.sampler for cell in cells))
                found.append(Curves(target, shown, [Markup(svg.draw(chart)) for chart in shown], samplers))
        return sorted(found, key=lambda curves: (not _has_closed_form(curves), self.choice.modes(curves.target)))

    def _target(self, target: str) -> TargetSection:
        rows = []
        for panel in self.choice.panels:
            cells = [cell for cell in panel.of(target) if self.choice.looks[cell.sampler].kind != "oracle"]
            cards = [self._card(target, None), *(self._card(target, cell) for cell in cells)]
            if cells:
                rows.append((panel, [card for card in cards if card.density is not None or card.cell is not None]))
        slug = self.slugs[target]
        drawn = [(f"{words.plain_name(panel.start)}", cards) for panel, cards in rows]
        self._save_cards([cards for _, cards in drawn], f"target_{slug}", target, [title for title, _ in drawn])
        first = finished(rows[0][0].of(target)) if rows else []
        charts = [chart for chart in (plots.error(self.choice, first), plots.occupancy(self.choice, first)) if chart]
        curves = Curves(
            target, charts, [Markup(svg.draw(chart)) for chart in charts],
            list(dict.fromkeys(cell.sampler for cell in first)),
        )  # fmt: skip
        return TargetSection(target, slug, rows, curves, self._chains(first, slug))

    def _card(self, target: str, cell: Cell | None) -> Card:
        look = self.choice.looks[cell.sampler] if cell is not None else None
        density = plots.density(self.results, target, cell, look) if cell is None or cell.outcome == "finished" else None
        histogram = plots.log_density(cell, look) if cell is not None and look is not None else None
        drawn = []
        if density is not None:
            drawn.append(Markup(svg.draw(density, *DRAWS_SIZE, self.shared)))
        if histogram is not None:
            drawn.append(Markup(svg.draw(histogram, *HISTOGRAM_SIZE)))
        return Card(cell, look, density, histogram, drawn)

    def _chains(self, cells: Sequence[Cell], slug: str) -> list[tuple[str, Markup]]:
        """Traces and ranks of the first coordinate, of the samplers that sample."""
        positions = {}
        for cell in cells:
            arrays = self.results.draws(cell) if cell.sampler_kind in ("biased", "exact") else None
            if arrays is not None:
                positions[words.sampler_name(cell.sampler)] = arrays["position"][:, :, 0]
        pictures = chains.traces_and_ranks(positions)
        if pictures is None:
            return []
        found = []
        for kind, png in zip(("traces", "ranks"), pictures, strict=True):
            write_atomically(self.folder / "figures" / f"{kind}_{slug}.png", png)
            found.append((kind, Markup(f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}")))
        return found

    # ------------------------------------------------------------ files

    def _figure(self, name: str) -> Path:
        return self.folder / "figures" / name

    def _legend(self, samplers: Sequence[str]) -> list[picture.Key]:
        looks = [self.choice.looks[sampler] for sampler in dict.fromkeys(samplers)]
        return [picture.Key(look.name, look.colour, look.marker) for look in looks]

    def _save_cards(self, rows: Sequence[Sequence[Card]], name: str, title: str, row_titles: Sequence[str]) -> None:
        """Draws above log p, a column for each cell."""
        charts: list[list[Chart | None]] = []
        heights: list[float] = []
        titles: list[str] = []
        for index, cards in enumerate(rows):
            if any(card.density is not None for card in cards):
                charts += [[card.density for card in cards], [card.histogram for card in cards]]
                heights += [1.0, 0.42]
                titles += [f"starts: {row_titles[index]}" if row_titles else "", ""]
        if charts:
            picture.save(
                self._figure(name), charts, title=title, size=(1.9, 1.9), heights=heights, row_titles=titles,
            )  # fmt: skip

    def _save_curves(self, rows: Sequence[Curves], name: str, title: str) -> None:
        if rows:
            legend = self._legend([sampler for curves in rows for sampler in curves.samplers])
            picture.save(
                self._figure(name), [curves.charts for curves in rows], title=title, legend=legend,
                row_titles=[curves.target for curves in rows], vector=True,
            )  # fmt: skip

    def _save_errors(self, sections: Sequence[TargetSection]) -> None:
        found = [(s, chart) for s in sections for chart in s.curves.charts if chart.y_scale == "log"]
        if found:
            legend = self._legend([name for section, _ in found for name in section.curves.samplers])
            picture.save(
                self._figure("error"), [[chart] for _, chart in found], title="Error against cost", legend=legend,
                row_titles=[section.target for section, _ in found], size=(4.6, 2.5), vector=True,
            )  # fmt: skip

    # ------------------------------------------------------------ template

    def _render(self, **parts: Any) -> str:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )  # fmt: skip
        environment.filters |= {
            "sampler": words.sampler_name, "plain": words.plain_name, "row": words.of_row, "number": words.number,
            "count": words.count,
        }  # fmt: skip
        return environment.get_template("page.html.j2").render(
            results=self.results,
            choice=self.choice,
            looks=self.choice.looks,
            palette=[INK, MUTED, GRID, SHADE, *(look.colour for look in self.choice.looks.values() if look.kind != "oracle")],
            style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
            script=Markup((TEMPLATES / "table.js").read_text(encoding="utf-8")),
            slugs=self.slugs,
            swatch=lambda look: Markup(svg.swatch(look.marker, look.colour)),
            settings=words.short_settings,
            link=verdict.link,
            facts=FACTS,
            verdicts=table.VERDICTS,
            signs=table.SIGNS,
            short=table.SHORT,
            table=table.build(self.results),
            csv=table.as_link(table.to_csv(self.results)),
            **parts,
        )


def _has_closed_form(curves: Curves) -> bool:
    return any(series.kind == "dashed" for chart in curves.charts for series in chart.series)


def _slug(text: str) -> str:
    """A target's label as part of an address or a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "target"
