"""The colours of the report, for light and dark, and the look of each sampler on every chart.

Knows kinds of samplers. Must not know any particular sampler, nor what a chart is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers


@dataclass(frozen=True)
class Colour:
    """A colour of both themes; `name` is its CSS variable."""

    name: str
    light: str
    dark: str


INK = Colour("ink", "#1c2126", "#e9e7e2")
MUTED = Colour("muted", "#5d6670", "#a2abb5")
GRID = Colour("grid", "#dcdad3", "#343b43")
SHADE = Colour("shade", "#c3c1b9", "#4a525b")
#: Colours that every page has.
NEUTRAL = (INK, MUTED, GRID, SHADE)

#: Light and dark forms of colours that can be told apart with any colour vision, most of them by Okabe and Ito.
BLUE, VERMILION, GREEN = ("#0072b2", "#55aee8"), ("#d55e00", "#ff8b42"), ("#009e73", "#2fc79b")
PINK, ORANGE, SKY = ("#c2629b", "#e59cc8"), ("#e69f00", "#f2b53b"), ("#56b4e9", "#9ad3f5")
VIOLET, BROWN = ("#6f5fb0", "#a99be0"), ("#8c510a", "#c98f4d")

#: A learned score, and that of a density that only holds its training examples.
LEARNED, MEMORISED = Colour("learned", *BLUE), Colour("memorised", *VERMILION)

_COLOURS_OF_KIND = {
    "optimiser": [VERMILION, BROWN],
    "biased": [PINK, ORANGE],
    "exact": [BLUE, GREEN, SKY, VIOLET],
}
_MARKERS_OF_KIND = {
    "optimiser": ["square"],
    "biased": ["triangle", "inverted", "pentagon"],
    "exact": ["circle", "diamond", "pentagon", "inverted"],
}


@dataclass(frozen=True)
class Look:
    """The colour and the marker of a sampler on every chart."""

    sampler: str
    colour: Colour
    marker: str
    kind: str

    @property
    def name(self) -> str:
        """The sampler's name as the page prints it."""
        return numbers.sampler_name(self.sampler)


def looks(cells: Iterable[Cell]) -> dict[str, Look]:
    """The look of each sampler, by kind and then by first appearance."""
    kinds = dict.fromkeys((cell.sampler, cell.sampler_kind) for cell in cells)
    used: dict[str, int] = {}
    found: dict[str, Look] = {}
    for index, (sampler, kind) in enumerate(kinds):
        if sampler in found:
            continue
        if kind == "oracle":
            found[sampler] = Look(sampler, INK, "plus", kind)
            continue
        place = used[kind] = used.get(kind, -1) + 1
        colours = _COLOURS_OF_KIND.get(kind, _COLOURS_OF_KIND["exact"])
        markers = _MARKERS_OF_KIND.get(kind, _MARKERS_OF_KIND["exact"])
        # When the colours begin again, they meet other markers.
        again, column = divmod(place, len(colours))
        marker = markers[(column + again) % len(markers)]
        found[sampler] = Look(sampler, Colour(f"s{index}", *colours[column]), marker, kind)
    return found


def of_page(looks: Iterable[Look]) -> list[Colour]:
    """The colours of a report: the neutral ones, those of learned scores, and those of its samplers."""
    return [*NEUTRAL, LEARNED, MEMORISED, *(look.colour for look in looks if look.kind != "oracle")]
