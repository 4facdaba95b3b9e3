"""Writes the page: finds the sections, asks each what it has to say, and puts the answers into the frame.

A section is a module and a template of the same name in `mcmc_bench.report.sections`; see there for what it declares.
Must not know any particular section, target or sampler.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.progress import Progress
from mcmc_bench.core.results import Results
from mcmc_bench.report import numbers, sections, templating
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures import palette, svg
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.sentences import link
from mcmc_bench.report.verdicts import SHORT, SIGNS


@dataclass(frozen=True)
class Section:
    """A section that was found in the folder."""

    name: str  # of its module and of its template
    title: str  # in the navigation
    order: float
    build: Callable[[Context], Mapping[str, Any] | None]

    @property
    def id(self) -> str:
        """Its address on the page."""
        return self.name.replace("_", "-")


@dataclass(frozen=True)
class ShownSection:
    """A section that has something to say."""

    id: str
    title: str
    body: Markup
    style: str  # rules for the head of the page


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
    folder, found = Path(folder), find_sections()
    steps = _Steps(progress or (lambda what, done, count: None), len(found) + 1)
    context = Context(results, folder, steps.announce)
    answers = []
    for section in found:
        steps.announce(section.title)
        answer = section.build(context)
        if answer is not None:
            answers.append((section, answer))
        steps.done += 1
    steps.announce("page")
    file = folder / "index.html"
    write_atomically(file, _render(context, answers).encode("utf-8"))
    steps.done += 1
    steps.announce("done")
    return file


class _Steps:
    """Counts the finished steps of a report."""

    def __init__(self, tell: Progress, count: int) -> None:
        self.tell, self.count, self.done = tell, count, 0

    def announce(self, what: str) -> None:
        """Tell what is being done."""
        self.tell(what, self.done, self.count)


def find_sections() -> list[Section]:
    """All sections, in the order of the page.

    Raises:
        ValueError: a module lacks a declaration or its template.
    """
    found = []
    for module in pkgutil.iter_modules(sections.__path__):
        declared = importlib.import_module(f"{sections.__name__}.{module.name}")
        missing = [name for name in ("TITLE", "ORDER", "build") if not hasattr(declared, name)]
        if missing:
            raise ValueError(
                f"section {module.name} declares no {' and no '.join(missing)}: add it to {module.name}.py"
            )
        if not any((Path(folder) / f"{module.name}.html.j2").is_file() for folder in sections.__path__):
            raise ValueError(
                f"section {module.name} has no template: add {module.name}.html.j2 beside {module.name}.py"
            )
        found.append(Section(module.name, declared.TITLE, declared.ORDER, declared.build))
    return sorted(found, key=lambda section: section.order)


def _render(context: Context, answers: list[tuple[Section, Mapping[str, Any]]]) -> str:
    environment = templating.environment(*sections.__path__)
    drawn: set[str] = set()  # contours that the page already has; later drawings refer to them

    def draw(chart: Chart) -> Markup:
        return Markup(svg.chart(chart, drawn))

    environment.globals |= {
        "results": context.results,
        "looks": context.selection.looks,
        "slugs": context.slugs,
        "draw": draw,
        "signs": SIGNS,
        "short": SHORT,
        "swatch": lambda look: Markup(svg.swatch(look.marker, look.colour)),
        "settings": numbers.short_settings,
        "link": link,
    }
    shown = []
    for section, answer in answers:
        template = environment.get_template(f"{section.name}.html.j2").make_module(dict(answer))
        style = getattr(template, "style", "")  # a template may `set style`
        shown.append(ShownSection(section.id, section.title, Markup(template), style))
    return environment.get_template("frame.html.j2").render(
        sections=shown,
        palette=palette.of_page(context.selection.looks.values()),
    )
