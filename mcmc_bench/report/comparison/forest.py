"""A forest plot as rows of a table: the strip of each row is as wide as its column, so that it fits paper and phone.

Positions are shares of the width, words stand beside the strips as ordinary text. Must not know what is compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from mcmc_bench.comparison.model import SEVERITY, Decision, Finding
from mcmc_bench.report.figures.chart import RuleLine, Scale, limits, tick_label, ticks
from mcmc_bench.report.figures.drawing import OPEN_SHAPES, SHAPES

#: Of each verdict its shape (a name in drawing.SHAPES), so that colour is not alone in telling them apart.
SHAPE_OF: dict[Decision, str] = {
    "regression": "square",
    "inconclusive": "diamond",
    "pass": "circle",
    "not measured": "cross",
}
#: Factors and standard deviations beyond which a plot does not follow; an arrow at its edge shows that there is more.
LARGEST_RATIO, LARGEST_BIAS = 1e3, 10.0
#: Pixels of the narrowest strip, for which the labels of the axis must fit, and of a line of labels above the strips.
NARROWEST, LINE = 300.0, 14


@dataclass(frozen=True)
class ForestRow:
    """One row: whose it is, where more is said of it, and what was found."""

    label: str
    address: str
    finding: Finding


@dataclass(frozen=True)
class Forest:
    """All rows over one axis, which runs over `extent`."""

    name: str  # unique on the page
    rows: tuple[ForestRow, ...]
    rules: tuple[RuleLine, ...]
    scale: Scale
    extent: tuple[float, float]

    # ------------------------------------------------------------ parts of the page

    def head(self) -> Markup:
        """Labels of the rules, each on a line of its own, and of the axis; the rules begin below their labels."""
        to_the_left = any(self._share(rule.value) > 0.55 for rule in self.rules)
        lines = self.rules[::-1] if to_the_left else self.rules
        height = LINE * (len(lines) + 1) + 4
        parts = []
        for index, rule in enumerate(lines):
            x, base = self._x(rule.value), LINE * (index + 1)
            parts.append(f'<line class="rule" x1="{x}" x2="{x}" y1="{base - 9}" y2="{height}"/>')
            anchor, away = ("end", -5) if to_the_left else ("start", 5)
            parts.append(f'<text x="{x}" dx="{away}" y="{base - 2}" text-anchor="{anchor}">{escape(rule.label)}</text>')
        return _svg("axis", "".join(parts) + self._axis(height), height)

    def foot(self) -> Markup:
        """The axis once more."""
        return _svg("axis", self._axis(LINE), LINE)

    def definitions(self) -> Markup:
        """The grid and the rules, which the strips of this plot share."""
        lines = "".join(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="100%"/>' for x in map(self._x, self._ticks))
        for rule in self.rules:
            x = self._x(rule.value)
            dashed = " dashed" if rule.dashed else ""
            lines += f'<line class="rule{dashed}" x1="{x}" x2="{x}" y1="0" y2="100%"/>'
        return _markup(f'<g id="lines-{self.name}">{lines}</g>')

    def strip(self, finding: Finding) -> Markup:
        """Interval and marker of one row over the shared lines."""
        assert finding.value is not None
        parts = [f'<use href="#lines-{self.name}"/>']
        if self.scale == "linear" and finding.resolution is not None and not math.isnan(finding.resolution):
            parts.append(_line("resolution", self._x(0.0), self._x(finding.resolution)))
        low, high = (end if end is not None and math.isfinite(end) else None for end in (finding.low, finding.high))
        if low is not None and high is not None:
            parts.append(_line("bar", self._x(low), self._x(high)))
        parts += dict.fromkeys(self._arrow(end) for end in (low, high, finding.value) if end is not None)
        if self._share(finding.value) == self._within(finding.value):
            parts.append(f'<use href="#shape-{_slug(finding.verdict)}" x="{self._x(finding.value)}" y="50%"/>')
        title = f"<title>{escape(f'{finding.verdict}: {finding.words}')}</title>"
        return _svg(f"strip {_slug(finding.verdict)}", title + "".join(parts), role="img")

    # ------------------------------------------------------------ positions

    @property
    def _ticks(self) -> list[float]:
        return ticks(*self.extent, self.scale)

    def _axis(self, base: float) -> str:
        """Numbers at the ticks, as many as fit the narrowest strip."""
        parts, free = [], -math.inf
        for value in self._ticks:
            label = tick_label(value)
            middle, half = self._share(value) * NARROWEST, 3.6 * len(label) + 3
            if middle - half >= free:
                free = middle + half
                parts.append(
                    f'<text class="tick" x="{self._x(value)}" y="{base - 3}" text-anchor="middle">{label}</text>'
                )
        return "".join(parts)

    def _arrow(self, end: float) -> str:
        """Says at the edge that there is more beyond it."""
        share = self._share(end)
        if share == self._within(end):
            return ""
        return f'<use href="#beyond-{"right" if share > 1 else "left"}" x="{100 if share > 1 else 0}%" y="50%"/>'

    def _share(self, value: float) -> float:
        """The place in the width, from 0 to 1; below and above is outside."""
        low, high = self.extent
        if self.scale == "log":
            return math.log(max(value, 1e-300) / low) / math.log(high / low)
        return (value - low) / (high - low)

    def _within(self, value: float) -> float:
        return min(max(self._share(value), 0.0), 1.0)

    def _x(self, value: float) -> str:
        return f"{100 * self._within(value):.2f}%"


def ratios(name: str, rows: Iterable[ForestRow], overall: Sequence[Finding], rules: Sequence[RuleLine]) -> Forest:
    """A plot of ratios on a logarithmic scale, worst first; `overall` has to fit too."""
    drawn = _worst_first(rows)
    findings = [row.finding for row in drawn] + [finding for finding in overall if drawable(finding)]
    values = [finding.value for finding in findings if finding.value] + [rule.value for rule in rules]
    # An interval from two replicates may span twenty decades; the rows beside it must stay readable.
    low, high = max(min(values) / 2.0, 1.0 / LARGEST_RATIO), min(max(values) * 2.0, LARGEST_RATIO)
    ends = [end for finding in findings for end in (finding.low, finding.high)]
    return Forest(name, drawn, tuple(rules), "log", limits(_clipped([*values, *ends], low, high), "log"))


def biases(name: str, rows: Iterable[ForestRow], rules: Sequence[RuleLine]) -> Forest:
    """A plot of differences on a linear scale, worst first, with the resolution of each as a bar."""
    drawn = _worst_first(rows)
    values = [row.finding.value for row in drawn if row.finding.value is not None] + [0.0]
    high = min(max(1.0, 2.0 * max(map(abs, values))), LARGEST_BIAS)
    ends = [end for row in drawn for end in (row.finding.low, row.finding.high, row.finding.resolution)]
    return Forest(name, drawn, tuple(rules), "linear", limits(_clipped([*values, *ends], -high, high), "linear"))


def drawable(finding: Finding | None) -> bool:
    """Whether there is a number to draw."""
    return finding is not None and finding.value is not None and math.isfinite(finding.value)


def shapes() -> Markup:
    """The markers of all verdicts and the arrows at the edges, for strips to refer to."""
    parts = []
    for verdict, shape in SHAPE_OF.items():
        outline = "".join(
            "M" + "L".join(f"{1.25 * x:.1f} {1.25 * y:.1f}" for x, y in line) + ("" if shape in OPEN_SHAPES else "z")
            for line in SHAPES[shape]
        )
        style = 'fill="none" stroke="currentColor" stroke-width="2"' if shape in OPEN_SHAPES else 'fill="currentColor"'
        parts.append(f'<path id="shape-{_slug(verdict)}" d="{outline}" {style}/>')
    parts.append('<path id="beyond-right" d="M-7 -4.5L0 0L-7 4.5z" fill="currentColor"/>')
    parts.append('<path id="beyond-left" d="M7 -4.5L0 0L7 4.5z" fill="currentColor"/>')
    return _markup("".join(parts))


def _clipped(values: Iterable[float | None], low: float, high: float) -> list[float]:
    return [min(max(value, low), high) for value in values if value is not None and not math.isnan(value)]


def _worst_first(rows: Iterable[ForestRow]) -> tuple[ForestRow, ...]:
    found = [row for row in rows if drawable(row.finding)]
    return tuple(sorted(found, key=lambda row: (SEVERITY.index(row.finding.verdict), -(row.finding.value or 0.0))))


def _slug(verdict: Decision) -> str:
    return verdict.replace(" ", "-")


def _line(kind: str, start: str, end: str) -> str:
    return f'<line class="{kind}" x1="{start}" x2="{end}" y1="50%" y2="50%"/>'


def _svg(kind: str, content: str, height: float | None = None, role: str = "") -> Markup:
    size = f' height="{height:g}"' if height is not None else ""
    seen_as = f'role="{role}"' if role else 'aria-hidden="true"'
    return _markup(f'<svg class="{kind}" width="100%"{size} {seen_as}>{content}</svg>')


def _markup(text: str) -> Markup:
    return Markup(text)
