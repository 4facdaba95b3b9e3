"""A learned score beside one in closed form: both fields in the plane, and the error against the noise level.

Knows results and what a chart is. Must not know any particular target, nor how charts are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import Results, TargetFacts
from mcmc_bench.report import numbers
from mcmc_bench.report.context import Context, slug_of
from mcmc_bench.report.figures.chart import Chart, RuleLine, Series
from mcmc_bench.report.figures.draws import contours
from mcmc_bench.report.figures.palette import INK, LEARNED, MEMORISED, Colour
from mcmc_bench.report.figures.sheet import LegendKey, arrange

TITLE, ORDER = "Learned scores", 60
#: The longest arrow, and the shortest that is drawn, as shares of the distance between two arrows.
LONGEST, SHORTEST = 1.05, 0.06
#: Of an arrow's head: its length as a share of the arrow's, and the tangent of half its angle.
HEAD, OPENING = 0.38, 0.5
FIELD_SIZE, CURVE_SIZE = 250.0, (400.0, 250.0)


@dataclass(frozen=True)
class ScoreComparison:
    """A learned target and its counterpart."""

    target: str  # label
    facts: TargetFacts
    pairs: list[tuple[float, Chart, Chart]]  # σ, true field, learned field; in the plane only
    curves: list[Chart]
    sentences: list[str]

    @property
    def rows(self) -> list[list[Chart | None]]:
        """All charts, as a figure file arranges them."""
        true, learned = ([pair[1] for pair in self.pairs], [pair[2] for pair in self.pairs])
        return [list(row) for row in (true, learned, self.curves) if row]

    @property
    def legend(self) -> list[LegendKey]:
        """Of the curves."""
        return [
            LegendKey("learned", LEARNED, "circle"),
            LegendKey(f"in closed form: {self.facts.counterpart}", _colour(self.facts), "diamond"),
        ]


def build(context: Context) -> Mapping[str, Any] | None:
    """A comparison for each family of learned targets."""
    found = comparisons(context.results)
    if not found:
        return None
    for one in found:
        heading = f"{one.facts.name}: the learned score and {one.facts.counterpart}"
        context.figures.sheet(f"field_{slug_of(one.facts.name)}", arrange(heading, one.rows, one.legend))
    return {"comparisons": found}


def comparisons(results: Results) -> list[ScoreComparison]:
    """Of every family of learned targets the one with the lowest noise, whose curves hold those of the others."""
    found: dict[tuple[str, str | None], str] = {}
    for label, facts in results.targets.items():
        if facts.score_error is None:
            continue
        family = (facts.name, facts.counterpart)
        other = results.targets[found[family]].score_error if family in found else None
        if other is None or facts.score_error["sigma"][0] < other["sigma"][0]:
            found[family] = label
    return [
        ScoreComparison(label, facts, _pairs(results, label), _curves(facts), _sentences(facts))
        for label in found.values()
        if (facts := results.targets[label])
    ]


def _colour(facts: TargetFacts) -> Colour:
    """Of the counterpart: the truth is in ink."""
    return INK if facts.counterpart_is_source else MEMORISED


# ------------------------------------------------------------ fields


def _pairs(results: Results, target: str) -> list[tuple[float, Chart, Chart]]:
    portrait = results.portrait(target)
    if portrait is None or "field_sigma" not in portrait:
        return []
    facts = results.targets[target]
    name = facts.counterpart or ""
    return [
        (float(sigma), _field(facts, portrait, k, "true", name), _field(facts, portrait, k, "learned", "learned"))
        for k, sigma in enumerate(portrait["field_sigma"])
    ]


def _field(facts: TargetFacts, portrait: dict[str, Array], k: int, kind: str, name: str) -> Chart:
    """Arrows of one score at noise level number `k`, over contours of its density."""
    sigma, x, y = float(portrait["field_sigma"][k]), portrait["field_x"], portrait["field_y"]
    density = {"grid_x": portrait["density_x"], "grid_y": portrait["density_y"]}
    across, up = arrows(x, y, sigma * portrait[f"field_{kind}"][k])
    margin = 0.5 * float(x[1] - x[0])
    return Chart(
        f"{name}, σ = {sigma:g}",
        f"arrows of the score of {name} at noise level {sigma:g}, over its density",
        [Series(across, up, LEARNED if kind == "learned" else _colour(facts), name, "broken")],
        x_limits=(float(x[0]) - margin, float(x[-1]) + margin),
        y_limits=(float(y[0]) - margin, float(y[-1]) + margin),
        contours=contours({**density, "grid_log_density": portrait[f"density_{kind}"][k]}),
        contours_name=f"field-{facts.key}-{kind}-{k}",
        bare=True,
        width=FIELD_SIZE,
        height=FIELD_SIZE,
    )


def arrows(x: Array, y: Array, vectors: Array) -> tuple[list[float], list[float | None]]:
    """Arrows of `vectors` (y, x, 2) centred on a grid, as lines that are broken where y is None.

    Their length is r/(1 + r) of the longest, r = ‖v‖: it grows with the vector, and the largest do not cover the rest.
    """
    step = float(x[1] - x[0])
    centre = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    v = vectors.reshape(-1, 2)
    norm = np.linalg.norm(v, axis=1)
    share = LONGEST * norm / (1.0 + norm)
    drawn = share > SHORTEST
    along = v[drawn] / norm[drawn, None] * (step * share[drawn])[:, None]
    tail, tip = centre[drawn] - 0.5 * along, centre[drawn] + 0.5 * along
    aside = OPENING * HEAD * np.column_stack([-along[:, 1], along[:, 0]])
    neck = tip - HEAD * along
    across: list[float] = []
    up: list[float | None] = []
    for points in zip(tail, tip, neck + aside, tip, neck - aside, strict=True):
        across += [*(float(point[0]) for point in points), 0.0]
        up += [*(float(point[1]) for point in points), None]
    return across, up


# ------------------------------------------------------------ curves


def _curves(facts: TargetFacts) -> list[Chart]:
    curves = facts.score_error
    assert curves is not None
    sigma = curves["sigma"]

    def line(key: str, colour: Colour, label: str, marker: str, kind: Literal["line", "points"] = "line") -> Series:
        given = list(zip(curves[key], curves[f"{key}_low"], curves[f"{key}_high"], strict=True))
        return Series(
            sigma,
            curves[key],
            colour,
            label,
            kind,
            curves[f"{key}_low"],
            curves[f"{key}_high"],
            band=True,
            marker=marker,
            notes=[
                f"{label}, σ = {one:.3g}: {numbers.interval(*values)}" for one, values in zip(sigma, given, strict=True)
            ],
        )

    error = [line("error", LEARNED, "at held-out data", "circle")]
    if not facts.counterpart_is_source:
        error.append(Series(sigma, curves["training_error"], LEARNED, "at training data", "dashed"))
    # What is learned from the truth lies on it: markers without a line, so that it can be seen.
    kind: Literal["line", "points"] = "points" if facts.counterpart_is_source else "line"
    loss = [
        line("counterpart_loss", _colour(facts), "in closed form", "diamond"),
        line("loss", LEARNED, "learned", "circle", kind),
    ]
    beside = "" if facts.counterpart_is_source else "; dashed: at noisy training data"
    width, height = CURVE_SIZE
    return [
        Chart(
            "Error of the score",
            f"squared difference of both scores over the square of that in closed form{beside}",
            error,
            x_label="noise level σ",
            y_label=f"E‖s − s*‖² / E‖s*‖²{beside}",
            x_scale="log",
            y_scale="log",
            width=width,
            height=height,
        ),
        Chart(
            "Noise left by the denoiser",
            "squared error of denoised held-out data over that of the noisy ones",
            loss,
            x_label="noise level σ",
            y_label="E‖D(x) − y‖² / E‖x − y‖²; 1: as good as doing nothing",
            x_scale="log",
            y_scale="log",
            rules=[RuleLine(1.0, "nothing done", dashed=True)],
            width=width,
            height=height,
        ),
    ]


# ------------------------------------------------------------ sentences


def _sentences(facts: TargetFacts) -> list[str]:
    curves = facts.score_error
    assert curves is not None
    return (_against_the_source if facts.counterpart_is_source else _against_examples)(facts, curves)


def _said(curves: dict[str, list[float]], key: str, k: int) -> str:
    return numbers.interval(curves[key][k], curves[f"{key}_low"][k], curves[f"{key}_high"][k])


def _nearest(sigma: Sequence[float], wanted: float) -> int:
    return int(np.argmin([abs(np.log(one / wanted)) for one in sigma]))


def _against_the_source(facts: TargetFacts, curves: dict[str, list[float]]) -> list[str]:
    sigma, correlation = curves["sigma"], curves["correlation"]
    ten = _nearest(sigma, 10.0 * sigma[0])
    off = (
        f"The examples are draws of {facts.counterpart}, whose score is known. The relative squared error of the learned "
        f"score is {_said(curves, 'error', 0)} at σ = {sigma[0]:.3g}, where edges are sharpest, and "
        f"{_said(curves, 'error', ten)} at σ = {sigma[ten]:.3g}. The correlation of the two log densities is "
        f"{numbers.number(correlation[0], 3)} and {numbers.number(correlation[ten], 4)}."
    )
    left = (
        f"No denoiser leaves less noise than the denoiser of the true score: at σ = {sigma[0]:.3g} it leaves a share of "
        f"{_said(curves, 'counterpart_loss', 0)}. The learned one leaves {_said(curves, 'excess_loss', 0)} more."
    )
    return [off, left]


def _against_examples(facts: TargetFacts, curves: dict[str, list[float]]) -> list[str]:
    sigma = curves["sigma"]
    middle = _nearest(sigma, 0.75) if sigma[0] < 0.75 < sigma[-1] else 0
    off = (
        f"{facts.counterpart} is the training set, smoothed with noise: the density that perfect memorisation would learn. It "
        "is not the truth for held-out data, so a difference from it is no fault. The relative squared difference of the "
        f"learned score is {_said(curves, 'error', 0)} at σ = {sigma[0]:.3g} and {_said(curves, 'error', middle)} at "
        f"σ = {sigma[middle]:.3g}, where the two log densities correlate by {numbers.number(curves['correlation'][middle], 3)}."
    )
    left = (
        f"On held-out data with noise σ = {sigma[0]:.3g} the memorising denoiser leaves "
        f"{_said(curves, 'counterpart_loss', 0)} times the noise, the learned one {_said(curves, 'loss', 0)} times."
    )
    levels = range(len(sigma))
    harmful = [k for k in levels if curves["counterpart_loss_low"][k] > 1.0]
    # To leave less than what is worse than nothing says nothing of what has been learned.
    better = [k for k in levels if curves["excess_loss_high"][k] < 0.0 and curves["counterpart_loss_high"][k] < 1.0]
    worse = [k for k in levels if curves["excess_loss_low"][k] > 0.0]
    if harmful:
        left += f" {_levels(sigma, harmful)} the memorising denoiser is worse than none."
    if better:
        left += (
            f" {_levels(sigma, better)} it is better than none, and the learned one is better still: it has learned more "
            "than its examples."
        )
    if worse:
        most = max(worse, key=lambda k: curves["excess_loss"][k])
        left += (
            f" {_levels(sigma, worse)} the learned one leaves more noise: at most {_said(curves, 'excess_loss', most)} more, "
            f"at σ = {sigma[most]:.3g}."
        )
    return [off, left]


def _levels(sigma: Sequence[float], chosen: Sequence[int]) -> str:
    """``"At 3 of 12 noise levels, σ = 0.1 to 0.222,"``; the range only if it has no gaps."""
    count = f"At {len(chosen)} of {len(sigma)} noise levels"
    first, last = chosen[0], chosen[-1]
    if last - first + 1 > len(chosen):
        return count
    return f"{count}, σ = {sigma[first]:.3g}{f' to {sigma[last]:.3g}' if last > first else ''},"
