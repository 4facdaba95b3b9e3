"""Puts the page together and writes it with its figures.

Knows the parts of the report. Must not know any particular target or sampler.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, ExampleFacts, Results, write_atomically
from mcmc_bench.report import numbers
from mcmc_bench.report.figures import drawing, picture, plots, svg, traces
from mcmc_bench.report.figures import images as image_charts
from mcmc_bench.report.figures.chart import GRID, INK, MUTED, SHADE, Chart, Colour
from mcmc_bench.report.parts import Card, Curves, Examples, Film, TargetSection
from mcmc_bench.report.sections import dimension, learned_scores, samples, table, verdict
from mcmc_bench.report.selection import Choice, finished, temperature
from mcmc_bench.report.sentences import link, name

Progress = Callable[[str, int, int], None]
#: Bytes above which a figure is not stored as SVG too.
SMALL = 40_000
TEMPLATES = Path(__file__).parent / "templates"
#: Pixels of charts that stand two in a row.
HALF = 400.0
#: Of one with much in it.
WIDE = 620.0
#: What stands under the drawings of a cell: metric, words, verdict that judges it, whether in per cent.
FACTS = (
    ("within_mode_variance_ratio", "spread", "spread", False),
    ("mode_weight_error", "wrong mode", "weights", True),
    ("sliced_wasserstein_1", "distance", "", False),
    ("efficiency", "efficiency", "efficiency", True),
    ("distinct_data", "distinct", "", True),
    ("classes_found", "classes found", "", True),
    ("data_sliced_wasserstein", "distance to data", "", False),
    ("classes_per_chain", "classes a chain", "", False),
)
#: The number that stands beside a verdict: metric, words before and after it, whether in per cent.
BESIDE = {
    "unbiased": ("largest_bias", "", " sd", False),
    "all_modes": ("modes_found", "", "", True),
    "weights": ("mode_weight_error", "off by ", "", True),
    "spread": ("within_mode_variance_ratio", "", "", False),
    "efficiency": ("efficiency", "", "", True),
}


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
        self.not_drawn = ""  # why ArviZ drew no chains
        self.slugs: dict[str, str] = {}
        for target in results.targets:
            slug = _slug(target)
            self.slugs[target] = slug if slug not in self.slugs.values() else f"{slug}-{len(self.slugs)}"
        self.done, self.steps = 0, 5 + len(results.targets)

    def write(self) -> Path:
        said = verdict.read(self.choice)
        self._step("verdict")
        hero = self._hero(said)
        modes = self._imbalance(said)
        examples = self._examples()
        self._step("noise dial")
        dial = self._curves("temperature", plots.DIAL)
        self._step("step size")
        step_size = self._curves("step_size", plots.STEP_SIZE)
        sections = []
        for target in self.results.targets:
            self._step(target)
            sections.append(self._target(target))
        fields = [self._compared(one) for one in learned_scores.comparisons(self.results)]
        self._step("figures")
        self._save_curves(dial, "dial", "The noise dial")
        self._save_curves(step_size, "step_size", "The step size: bias or rejection")
        self._save_errors(sections)
        self._step("page")
        page = self._render(
            said=said,
            hero=hero,
            modes=modes,
            examples=examples,
            dial=dial,
            step_size=step_size,
            sections=sections,
            fields=fields,
        )
        file = self.folder / "index.html"
        write_atomically(file, page.encode("utf-8"))
        self._step("done")
        return file

    def _step(self, what: str) -> None:
        self.progress(what, self.done, self.steps)
        self.done += 1

    # ------------------------------------------------------------ parts

    def _hero(self, said: verdict.Verdict) -> list[Card]:
        """The headline in pictures: exact draws, then without noise, then with it."""
        if said.headline is None:
            return []
        cards = [self._card(said.headline.target, None)]
        cards += [self._card(said.headline.target, cell) for cell in (said.headline.without, *said.headline.with_noise)]
        cards = [card for card in cards if card.density is not None]
        self._save_cards([cards], "verdict", f"{said.headline.target}: without noise and with it")
        return cards

    def _shown_chains(self, said: verdict.Verdict) -> int:
        """How many chains the headline's drawings show; 0 if none."""
        arrays = self.results.draws(said.headline.without) if said.headline is not None else None
        return 0 if arrays is None else len(arrays["position"])

    def _imbalance(self, said: verdict.Verdict) -> Curves | None:
        """The cautionary tale in a picture: shares of the modes, without noise too where that was run."""
        if said.imbalance is None:
            return None
        target = said.imbalance.cell.target
        cells = [contrast.without for contrast in said.contrasts if contrast.target == target]
        # A schedule with its noise turned down would look like the one at full noise; the sentence has it.
        cells += [cell for cell in (said.imbalance.cell, *said.imbalance.others) if temperature(cell) == 1.0]
        chart = plots.occupancy(self.choice, cells, HALF)
        if chart is None:
            return None
        samplers = [cell.sampler for cell in cells]
        self._save("proportions", f"{target}: right spread, wrong proportions", [[chart]], samplers)
        return Curves(target, [chart], [self._drawn(chart)], samplers)

    def _examples(self) -> Examples | None:
        """Samples beside real data, the films of the headline and of what begins with it, and the table."""
        said = samples.read(self.choice)
        if said is None:
            return None
        pair = (said.without, said.with_noise)
        hero = [self._card(said.target, None), *(self._card(said.target, cell) for cell in pair)]
        self._save_cards([hero], "images", f"{said.target}: without noise and with it")
        others = [
            cell
            for panel in self.choice.panels
            for cell in finished(panel.of(said.target))
            if cell not in pair and cell.start == said.with_noise.start
        ]
        together = image_charts.share_a_start(self.results, [*pair, *others])
        films = [chart for cell in together if (chart := image_charts.film(self.results, cell, name(cell))) is not None]
        if films:
            heading = f"{said.target}: down the noise levels from the same starts"
            self._save("films", heading, [films[index : index + 2] for index in range(0, len(films), 2)])
        noisy = [said.with_noise, *(cell for cell in together if cell.sampler != said.with_noise.sampler)]
        shares = image_charts.class_shares(self.choice, noisy, WIDE)
        if shares is not None:
            self._save("classes", f"{said.target}: shares of the classes", [[shares]], [cell.sampler for cell in noisy])
        compared = [
            cell
            for panel in self.choice.panels
            for cell in finished(panel.cells)
            if self.results.targets[cell.target].examples is not None
        ]
        return Examples(
            said, hero, [Film(film.title, self._drawn(film)) for film in films], None if shares is None else self._drawn(shares),
            [cell.sampler for cell in noisy],
            table.build(self.results, compared, "examples"), min(image_charts.SHOWN, said.with_noise.chains),
        )  # fmt: skip

    def _curves(self, setting: str, metrics: Sequence[tuple[str, str, str]]) -> list[Curves]:
        """Rows of charts for each target whose cells turn `setting`; targets with closed forms first."""
        found = []
        for target, cells in self.choice.explorations(setting).items():
            summary = verdict.at_full_noise(cells) if setting == "temperature" else ""
            rows = self.choice.told_apart(cells)
            for row in rows:
                charts = [plots.against(self.choice, setting, *metric, row) for metric in metrics]
                shown = [chart for chart in charts if chart is not None]
                if shown:
                    samplers = list(dict.fromkeys(cell.sampler for cell in row))
                    drawn = [self._drawn(chart) for chart in shown]
                    found.append(Curves(target, shown, drawn, samplers, summary, len(rows) > 1))
        return sorted(found, key=lambda curves: (not _has_closed_form(curves), self.choice.modes(curves.target)))

    def _target(self, target: str) -> TargetSection:
        rows = []
        for panel in self.choice.panels:
            cells = [cell for cell in panel.of(target) if self.choice.looks[cell.sampler].kind != "oracle"]
            cards = [self._card(target, None), *(self._card(target, cell) for cell in cells)]
            if cells:
                rows.append((panel, [card for card in cards if card.density is not None or card.cell is not None]))
        slug = self.slugs[target]
        names = [f"start: {numbers.plain_name(panel.start)}" for panel, _ in rows]
        self._save_cards([cards for _, cards in rows], f"target_{slug}", target, names)
        first = finished(rows[0][0].of(target)) if rows else []
        charts = [plots.error(self.choice, first, HALF), plots.occupancy(self.choice, first, HALF)]
        shown = [chart for chart in charts if chart is not None]
        samplers = list(dict.fromkeys(cell.sampler for cell in first))
        curves = Curves(target, shown, [self._drawn(chart) for chart in shown], samplers)
        learned = self.results.targets[target].examples is not None
        axis = "the direction in which held-out examples differ most" if learned else "the first coordinate"
        return TargetSection(target, slug, rows, curves, self._chains(first, slug), axis)

    def _compared(
        self, one: learned_scores.Comparison
    ) -> tuple[learned_scores.Comparison, list[tuple[str, Markup, Markup]], list[Markup]]:
        """A learned score beside one in closed form: σ with both fields, and curves."""
        heading = f"{one.facts.name}: the learned score and {one.facts.counterpart}"
        self._write(f"field_{_slug(one.facts.name)}", drawing.sheet(heading, one.rows, one.legend))
        pairs = [(f"{sigma:g}", self._drawn(true), self._drawn(learned)) for sigma, true, learned in one.pairs]
        return one, pairs, [self._drawn(chart) for chart in one.curves]

    def _drawn(self, chart: Chart) -> Markup:
        return Markup(svg.chart(chart, self.shared))

    def _card(self, target: str, cell: Cell | None) -> Card:
        look = self.choice.looks[cell.sampler] if cell is not None else None
        density = None
        if cell is None or cell.outcome is Outcome.FINISHED:
            images = image_charts.are_images(self.results, target)
            density = (
                image_charts.grid(self.results, target, cell)
                if images
                else plots.density(self.results, target, cell, look)
            )
        histogram = plots.log_density(cell, look) if cell and look else plots.true_log_density(self.results, target)
        histogram = histogram or image_charts.classes(self.results, target, cell, look)
        drawn = [self._drawn(chart) for chart in (density, histogram) if chart is not None]
        return Card(cell, look, density, histogram, drawn)

    def _chains(self, cells: Sequence[Cell], slug: str) -> list[tuple[str, Markup]]:
        """Traces and ranks of the first coordinate, or of that in which examples differ most, of the samplers that sample."""
        if len(self.results.cells) > plots.MANY_CELLS:  # pictures of all of them would make the page slow to open
            return []
        positions = {}
        portrait = self.results.portrait(cells[0].target) if cells else None
        for cell in cells:
            arrays = self.results.draws(cell) if cell.sampler_kind in ("biased", "exact") else None
            if arrays is not None:
                positions[numbers.sampler_name(cell.sampler)] = plots.first_coordinate(arrays["position"], portrait)
        try:
            pictures = traces.traces_and_ranks(positions)
        except Exception as error:  # noqa: BLE001  another version of ArviZ must not cost the whole page; what is missing is said
            self.not_drawn = f"{type(error).__name__}: {error}"
            return []
        if pictures is None:
            return []
        found = []
        for kind, png in zip(("traces", "ranks"), pictures, strict=True):
            write_atomically(self.folder / "figures" / f"{kind}_{slug}.png", png)
            found.append((kind, Markup(f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}")))
        return found

    # ------------------------------------------------------------ files

    def _save(
        self, name: str, heading: str, rows: Sequence[Sequence[Chart | None]], samplers: Sequence[str] = (),
        row_titles: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Write ``figures/NAME.png``, and ``.svg`` where that is small."""
        looks = [self.choice.looks[sampler] for sampler in dict.fromkeys(samplers)]
        legend = [drawing.Key(look.name, look.colour, look.marker) for look in looks]
        self._write(name, drawing.sheet(heading, rows, legend, row_titles))

    def _write(self, name: str, arranged: drawing.Sheet) -> None:
        write_atomically(self.folder / "figures" / f"{name}.png", picture.sheet(arranged))
        vector = svg.sheet(arranged, self.palette).encode("utf-8")
        if len(vector) < SMALL:
            write_atomically(self.folder / "figures" / f"{name}.svg", vector)

    def _save_cards(
        self, rows: Sequence[Sequence[Card]], name: str, heading: str, row_titles: Sequence[str] = ()
    ) -> None:
        """Draws above log p, a column for each cell."""
        charts: list[list[Chart | None]] = []
        titles: list[str] = []
        for index, cards in enumerate(rows):
            if any(card.density is not None for card in cards):
                charts.append([card.density for card in cards])
                titles.append(row_titles[index] if row_titles else "")
                if any(card.histogram is not None for card in cards):
                    charts.append([card.histogram for card in cards])
                    titles.append("")
        if charts:
            self._save(name, heading, charts, row_titles=titles)

    def _save_curves(self, rows: Sequence[Curves], name: str, heading: str) -> None:
        if rows:
            samplers = [sampler for curves in rows for sampler in curves.samplers]
            self._save(name, heading, [curves.charts for curves in rows], samplers, [curves.title for curves in rows])

    def _save_errors(self, sections: Sequence[TargetSection]) -> None:
        found = [(s, chart) for s in sections for chart in s.curves.charts if chart.y_scale == "log"]
        if found:
            samplers = [sampler for section, _ in found for sampler in section.curves.samplers]
            titles = [section.target for section, _ in found]
            self._save("error", "Error against cost", [[chart] for _, chart in found], samplers, titles)

    def _facts_of_examples(self, examples: Examples | None) -> ExampleFacts | None:
        return None if examples is None else self.results.targets[examples.said.target].examples

    @property
    def palette(self) -> list[Colour]:
        looks = [look.colour for look in self.choice.looks.values() if look.kind != "oracle"]
        return [INK, MUTED, GRID, SHADE, *learned_scores.COLOURS, *looks]

    # ------------------------------------------------------------ template

    def _render(self, **parts: Any) -> str:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )  # fmt: skip
        environment.filters |= {
            "sampler": numbers.sampler_name, "plain": numbers.plain_name, "row": numbers.of_row, "number": numbers.number,
            "count": numbers.count, "in_sentence": numbers.in_sentence, "percent": numbers.percent,
        }  # fmt: skip
        return environment.get_template("page.html.j2").render(
            results=self.results,
            choice=self.choice,
            looks=self.choice.looks,
            palette=self.palette,
            truth_name=lambda target: plots.truth_name(self.results, target),
            style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
            script=Markup((TEMPLATES / "table.js").read_text(encoding="utf-8")),
            slugs=self.slugs,
            not_drawn=self.not_drawn,
            growths=dimension.growths(self.results),
            interval=numbers.interval,
            cost_of=dimension.cost,
            swatch=lambda look: Markup(svg.swatch(look.marker, look.colour)),
            settings=numbers.short_settings,
            link=link,
            facts_of_examples=self._facts_of_examples(parts["examples"]),
            judged={key for panel in self.choice.panels for key in panel.judged(table.VERDICTS)},
            facts=FACTS,
            beside=_beside,
            shown_chains=self._shown_chains(parts["said"]),
            verdicts=table.VERDICTS,
            signs=table.SIGNS,
            short=table.SHORT,
            table=table.build(self.results),
            csv=table.as_link(table.to_csv(self.results)),
            **parts,
        )


def _beside(cell: Cell, key: str) -> str:
    """The number behind a verdict, short."""
    if key not in BESIDE or (key in cell.verdicts and cell.verdicts[key].verdict == "not applicable"):
        return ""
    metric, before, after, per_cent = BESIDE[key]
    value = cell.value(metric)
    if value is None:
        return ""
    if per_cent:
        return f"{before}{value:.0%}{after}" if value >= 0.1 else f"{before}{numbers.number(100 * value, 1)}%{after}"
    return f"{before}{numbers.number(value, 2)}{after}"


def _has_closed_form(curves: Curves) -> bool:
    return any(series.kind == "dashed" for chart in curves.charts for series in chart.series)


def _slug(text: str) -> str:
    """A target's label as part of an address or a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "target"
