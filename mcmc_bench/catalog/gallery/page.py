"""Writes the gallery: one page that asks for nothing from anywhere, and a picture of each target beside it.

Texts of targets are anyone's, and are escaped. Must not know any particular target.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from mcmc_bench.catalog import cost, portrait, stored_truth
from mcmc_bench.catalog.files import load_target, target_files, target_parameters
from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.progress import Progress
from mcmc_bench.core.target import TAGS, Target
from mcmc_bench.report import templating
from mcmc_bench.report.figures.palette import INK, MUTED, Colour

TEMPLATES = Path(__file__).parent / "templates"
_LINKS = re.compile(r"(?P<doi>doi 10\.\d{4,9}/[^\s,;()]+)|(?P<arxiv>arXiv \d{4}\.\d{4,5})")


@dataclass
class TargetCard:
    """All that the page says of one target."""

    name: str
    target: Target | None = None
    picture: str = ""
    problem: str = ""
    cost: float | None = None
    facts: dict[str, str] = field(default_factory=dict)
    parameters: str = ""
    checks: list[tuple[str, str]] = field(default_factory=list)
    remarks: str = ""


def write_gallery(
    folder: str | Path, *, targets_folder: str | Path | None = None, progress: Progress | None = None
) -> Path:
    """Write ``index.html`` and ``figures/`` into `folder`.

    Args:
        folder: made if it does not exist.
        targets_folder: a folder of further targets, which come into the gallery too.
        progress: called with the name of a target, the number of finished ones and the number of all.

    Returns:
        The path of the page.
    """
    folder = Path(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    files = target_files(() if targets_folder is None else (Path(targets_folder),))
    told = progress or (lambda what, done, count: None)
    cards = []
    for number, (name, file) in enumerate(sorted(files.items())):
        told(name, number, len(files))
        cards.append(_card(name, file, folder, targets_folder))
    told("page", len(files), len(files))
    page = folder / "index.html"
    write_atomically(page, _html(cards))
    return page


def _card(name: str, file: Path, folder: Path, targets_folder: str | Path | None) -> TargetCard:
    card = TargetCard(name)
    try:
        card.target = load_target(name, targets_folder=targets_folder)
        extra = () if targets_folder is None else (Path(targets_folder),)
        card.parameters = ", ".join(f"{key} = {value}" for key, value in target_parameters(name, extra).items())
        card.facts = portrait.facts(card.target)
        card.cost = cost.nanoseconds(card.target)
        stored = stored_truth.stored_for(file, card.target.label)
        if stored is not None and card.target.truth is not None and card.target.truth.origin == "reference run":
            card.checks = [
                (what, f"{check['value']:.4g}, must be {check['must be']}") for what, check in stored["checks"].items()
            ]
            card.remarks = str(stored.get("remarks", ""))
        picture = f"figures/{name}.png"
        portrait.draw_target(card.target, folder / picture, title=False)
        card.picture = picture
    except Exception as error:  # noqa: BLE001 - a target that is broken is named on the page
        card.problem = f"{type(error).__name__}: {error}"
    return card


def linked(text: str) -> Markup:
    """`text`, escaped, with its DOIs and arXiv numbers as links."""
    found, end = Markup(), 0
    for match in _LINKS.finditer(text):
        number = match.group().split(" ", 1)[1].rstrip(".")
        address = f"https://doi.org/{number}" if match.group("doi") else f"https://arxiv.org/abs/{number}"
        found += escape(text[end : match.start()])
        found += Markup('<a href="{}">{}</a>').format(address, match.group().rstrip("."))
        end = match.start() + len(match.group().rstrip("."))
    return found + escape(text[end:])


def _html(cards: list[TargetCard]) -> bytes:
    environment = templating.environment(TEMPLATES)
    environment.filters["linked"] = linked
    environment.filters["cost"] = cost.words
    palette: tuple[Colour, ...] = (INK, MUTED)
    shown: list[Any] = [card for card in cards if card.target is not None]
    text = environment.get_template("gallery.html.j2").render(
        cards=cards,
        tags=[tag for tag in TAGS if any(tag in card.target.tags for card in shown)],
        palette=palette,
        with_truth=sum(card.target.truth is not None for card in shown),
        largest=max((card.target.dim for card in shown), default=0),
    )
    return text.encode()
