"""How figures look and are stored: colours, ink that follows the page's light or dark, SVG for the page, PNG for files.

Must not know what is drawn.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mcmc_bench.results import Results

#: Okabe and Ito's colours, which remain distinct for the colour-blind; markers repeat what they say.
_PALETTE = ("#d55e00", "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9")
_MARKERS = ("v", "s", "o", "^", "D", "P", "X", "<", ">")
#: Stands for the text colour of the page; no figure uses this colour for anything else.
INK = "#010203"
_DPI = 110


@dataclass(frozen=True)
class Picture:
    """A figure, ready: for the page and for a file."""

    name: str
    caption: str
    svg: str  # inline, its ink is currentColor
    png: bytes  # on white


@dataclass(frozen=True)
class Look:
    """Colour and marker of every sampler, the same in all figures."""

    colours: dict[str, str]
    markers: dict[str, str]

    @classmethod
    def of(cls, samplers: Sequence[str], oracles: set[str]) -> Look:
        """The look of `samplers`; those in `oracles` are drawn in ink."""
        others = [name for name in samplers if name not in oracles]
        colours = {name: _PALETTE[i % len(_PALETTE)] for i, name in enumerate(others)}
        markers = {name: _MARKERS[i % len(_MARKERS)] for i, name in enumerate(others)}
        return cls(colours | dict.fromkeys(oracles, INK), markers | dict.fromkeys(oracles, "*"))


def look_of(results: Results, order: Sequence[str]) -> Look:
    """The look for these results."""
    return Look.of(order, {cell.sampler for cell in results.cells if cell.sampler_kind == "oracle"})


_STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.size": 9.5,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor", "xtick.color", "ytick.color"), INK
    ),
}


@contextmanager
def style(name: str) -> Iterator[None]:
    """Everything drawn inside looks like the rest; `name` makes the SVG's inner names unique within a page."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        yield


def picture(name: str, caption: str, figure: Figure) -> Picture:
    """Store `figure` for the page and as a file. Call inside `style`."""
    vector = io.StringIO()
    figure.savefig(vector, format="svg", dpi=_DPI, metadata={"Date": None, "Creator": None})
    raster = io.BytesIO()
    figure.savefig(raster, format="png", dpi=_DPI, facecolor="white", metadata={"Software": None})
    return Picture(name, caption, _for_page(vector.getvalue(), name, caption), _smaller(raster.getvalue()))


def _for_page(svg: str, name: str, caption: str) -> str:
    """The SVG element alone, scalable, in the page's ink, with names of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    width = re.search(r'width="([\d.]+)pt"', svg)
    pixels = round(float(width.group(1)) * 4 / 3) if width else 800
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    label = caption.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}" style="max-width:{pixels}px"', 1)


def _smaller(png: bytes) -> bytes:
    """The same picture with a palette of 128 colours, if that is smaller."""
    from PIL import Image

    stream = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128).save(stream, format="png", optimize=True)
    return min(png, stream.getvalue(), key=len)


def reference_line(axes: Axes, value: float, label: str | None = None) -> None:
    """A thin line for the right answer."""
    axes.axhline(value, color=INK, linewidth=0.8, alpha=0.6, linestyle=(0, (1, 2)), label=label, zorder=0.5)
