"""Findings about noise. Every number and every name is taken from the results.

A sentence without its evidence is left out. Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from mcmc_bench.core.results import Cell, MetricValue
from mcmc_bench.report import numbers
from mcmc_bench.report.selection import Selection, finished, first_by, temperature
from mcmc_bench.report.sentences import code, given, join, link, metric_of, name, with_code
from mcmc_bench.report.verdicts import OF_THE_ANSWER

SPREAD, WEIGHTS, POINTS = "within_mode_variance_ratio", "mode_weight_error", "end_points"
CHANGES, FOUND, EFFICIENCY = "transitions_per_1000", "modes_found", "efficiency"
#: Cells that a sentence names before it says how many more there are.
MOST_UNSEEN, MOST_FAILED = 6, 5


@dataclass(frozen=True)
class Contrast:
    """One target without noise, and with: the same start and, where it was run, the same step size."""

    target: str
    without: Cell
    with_noise: list[Cell]


@dataclass(frozen=True)
class Imbalance:
    """A cell whose spread within modes is right and whose weights of modes are wrong, and those beside it."""

    cell: Cell
    others: list[Cell]


@dataclass(frozen=True)
class NoiseFindings:
    """The opening of the page."""

    sentences: list[Markup]  # what noise does
    caution: list[Markup]  # what it does not do
    findings: list[Markup]
    contrasts: list[Contrast] = field(default_factory=list)
    headline: Contrast | None = None
    imbalance: Imbalance | None = None


def read(selection: Selection) -> NoiseFindings:
    """The sentences, and the cells that they rest on."""
    contrasts = _contrasts(selection)
    headline = max(contrasts, key=lambda contrast: selection.modes(contrast.target), default=None)
    imbalance = _imbalance(selection, headline)
    return NoiseFindings(
        sentences=_effect_of_noise(selection, headline) if headline else [_plain_count(selection)],
        caution=_no_effect_of_noise(imbalance) if imbalance else [],
        findings=[*_other_starts(selection, headline), *_unseen(selection), *_best(selection), *_failures(selection)],
        contrasts=contrasts,
        headline=headline,
        imbalance=imbalance,
    )


# ------------------------------------------------------------ cells


def _contrasts(selection: Selection) -> list[Contrast]:
    """For each target of the first panel with an optimiser: that, and each sampler with its full noise."""
    found: dict[str, Contrast] = {}
    for panel in selection.panels:
        for without in finished(panel.cells):
            if without.sampler_kind != "optimiser" or not given(without, POINTS, SPREAD) or without.target in found:
                continue
            pairs = _with_noise(selection, without)
            if pairs:
                found[without.target] = Contrast(without.target, without, pairs)
    return list(found.values())


def _with_noise(selection: Selection, without: Cell) -> list[Cell]:
    """Each sampler with a noise dial, turned to 1; each sampler there is if none has one."""
    alike = [
        cell
        for cell in finished(selection.results.cells)
        if (cell.target, cell.start) == (without.target, without.start)
        and cell.sampler_kind in ("biased", "exact")
        and temperature(cell) == 1.0
        and given(cell, SPREAD)
    ]
    alike = [cell for cell in alike if "temperature" in cell.settings] or alike
    step = without.settings.get("step_size")
    chosen = [
        first_by(
            [cell for cell in alike if cell.sampler == sampler],
            lambda cell: cell.settings.get("step_size") == step,
            lambda cell: cell.selected,
        )
        for sampler in dict.fromkeys(cell.sampler for cell in alike)
    ]
    return [cell for cell in chosen if cell is not None]


def _imbalance(selection: Selection, headline: Contrast | None) -> Imbalance | None:
    """The clearest case of right spread and wrong weights, if there is one.

    From starts that are those of the headline; among cells that find every mode if there are such; the least share
    of mass in the wrong mode that the interval allows decides.
    """

    def wrong_weights(cell: Cell) -> bool:
        judged = {key: judgement.verdict for key, judgement in cell.verdicts.items()}
        samples = cell.sampler_kind in ("biased", "exact")
        return samples and judged.get("spread") == "pass" and judged.get("weights") == "fail"

    cells = [c for c in finished(selection.results.cells) if temperature(c) == 1.0 and wrong_weights(c)]
    if headline is not None:
        cells = [cell for cell in cells if cell.start == headline.without.start] or cells
        partners = {cell.sampler for cell in headline.with_noise}
        cells = [cell for cell in cells if cell.sampler in partners] or cells
    cells = [
        cell for cell in cells if "all_modes" in cell.verdicts and cell.verdicts["all_modes"].verdict == "pass"
    ] or cells
    if not cells:
        return None
    # Plain Langevin before its corrected forms, as in the headline.
    cells = [cell for cell in cells if cell.sampler_kind == "biased"] or cells
    worst = max(cells, key=lambda cell: _low(cell.metric(WEIGHTS)))
    beside = next((p for p in selection.panels if p.start == worst.start and worst.target in p.targets), None)
    others = [
        cell
        for cell in (finished(beside.of(worst.target)) if beside else [])
        if cell.sampler != worst.sampler and cell.sampler_kind in ("biased", "exact") and given(cell, WEIGHTS)
    ]
    return Imbalance(worst, others)


def _low(found: MetricValue | None) -> float:
    if found is None or found.value is None:
        return float("-inf")
    return found.value if found.low is None else found.low


# ------------------------------------------------------------ sentences


def _spread(cell: Cell) -> Markup:
    """``"1.05 (1.03–1.07) for ULA (known bias of its step size: 1.05)"``."""
    found = metric_of(cell, SPREAD)
    said = Markup("{} for {}").format(link(cell, numbers.in_sentence(found)), name(cell))
    if cell.sampler_kind == "biased" and found.predicted is not None:
        places = max(2, numbers.decimals(found.value or 0.0, found.low, found.high))
        said += Markup(" (known bias of its step size: {})").format(numbers.number(found.predicted, places))
    return said


def at_full_noise(cells: Sequence[Cell]) -> Markup:
    """``"At τ = 1 the spread is 1.05 (1.03–1.07) for ULA, … and 1.00 for MALA."``; empty without such cells."""
    turned = [cell for cell in finished(cells) if cell.settings.get("temperature") == 1.0 and given(cell, SPREAD)]
    if not turned:
        return Markup("")
    return Markup("At τ = 1 the spread is {}.").format(join([_spread(cell) for cell in turned]))


def _effect_of_noise(selection: Selection, headline: Contrast) -> list[Markup]:
    without = headline.without
    points = round(metric_of(without, POINTS).value or 0.0)
    within = "within a mode " if selection.modes(headline.target) > 1 else ""
    first = Markup("Without noise, {} end at {} on {}; their spread {}is {} times the true one.").format(
        numbers.count(without.chains * without.replicates, "chain"),
        link(without, numbers.count(points, "point")),
        code(headline.target),
        within,
        link(without, numbers.in_sentence(metric_of(without, SPREAD))),
    )
    second = Markup("With noise, it is {}.").format(join([_spread(cell) for cell in headline.with_noise]))
    return [first, second]


def _no_effect_of_noise(imbalance: Imbalance) -> list[Markup]:
    cell = imbalance.cell
    found = [
        Markup("On {}, the spread of {} within each mode is right: {}.").format(
            code(cell.target), name(cell), link(cell, numbers.in_sentence(metric_of(cell, SPREAD)))
        ),
        Markup("The proportions of the modes are wrong: {} of its mass is in the wrong mode.").format(
            link(cell, numbers.percent(metric_of(cell, WEIGHTS)))
        ),
    ]
    curve = cell.curves.get("occupancy")
    if curve and len(curve["weights"]) <= 4:
        found.append(
            Markup("The true weights of the modes are {}; the shares of its draws are {}.").format(
                numbers.listing([numbers.number(weight, 2) for weight in curve["weights"]]),
                numbers.listing([numbers.number(share, 2) for share in curve["value"]]),
            )
        )
    if cell.value(CHANGES) == 0.0:
        found.append(Markup("No chain changed mode, so each mode keeps the chains that started near it."))
    if imbalance.others:
        others = [
            Markup("{} for {}").format(link(other, numbers.percent(metric_of(other, WEIGHTS))), name(other))
            for other in imbalance.others
        ]
        found.append(Markup("The share in the wrong mode is {}.").format(join(others)))
    return found


def _other_starts(selection: Selection, headline: Contrast | None) -> list[Markup]:
    """The modes that each sampler reaches from another start than the headline's, target by target."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for panel in selection.panels:
        for cell in finished(panel.cells) if headline is not None and panel.start != headline.without.start else []:
            if cell.sampler_kind != "oracle" and selection.modes(cell.target) > 1 and given(cell, FOUND):
                found.setdefault((panel.start, cell.target), []).append(cell)
    said: dict[str, list[Markup]] = {}
    for (start, target), cells in found.items():
        modes = selection.modes(target)
        reached = [
            Markup("{} by {}").format(link(cell, numbers.number(modes * (cell.value(FOUND) or 0.0))), name(cell))
            for cell in cells
        ]
        said.setdefault(start, []).append(
            Markup("of the {} modes of {}, {}").format(modes, code(target), join(reached))
        )
    return [
        Markup("<b>Modes reached</b> (start: {}; means over replicates): {}.").format(
            numbers.plain_name(start), Markup("; ").join(targets)
        )
        for start, targets in said.items()
    ]


def _compared(selection: Selection) -> list[Cell]:
    return [cell for panel in selection.panels for cell in finished(panel.cells) if cell.sampler_kind != "oracle"]


def _has(cell: Cell, *verdicts: str) -> bool:
    """Whether one of the verdicts on its answer is one of `verdicts`."""
    return any(cell.verdicts[key].verdict in verdicts for key in OF_THE_ANSWER if key in cell.verdicts)


def _unseen(selection: Selection) -> list[Markup]:
    """The cells with a wrong answer that the usual diagnostics did not see."""
    asked = {cell.id: cell.verdicts.get("diagnostics_honest") for cell in _compared(selection)}
    wrong = [
        cell
        for cell in _compared(selection)
        if _has(cell, "fail") and (judged := asked[cell.id]) is not None and judged.verdict in ("pass", "fail")
    ]
    if not wrong:
        return []
    count = numbers.count(len(wrong), "cell")
    unseen = [cell for cell in wrong if cell.verdicts["diagnostics_honest"].verdict == "fail"]
    if not unseen:
        return [
            Markup("<b>Diagnostics.</b> Of {} with a wrong answer, R-hat and ESS looked clean in none.").format(count)
        ]
    start = Markup(" (start: {})") if len({cell.start for cell in unseen}) > 1 else Markup("")
    places = [
        Markup("{} on {}").format(link(cell, name(cell)), code(cell.target))
        + start.format(numbers.plain_name(cell.start))
        for cell in unseen
    ]
    return [
        Markup(
            "<b>Diagnostics do not see everything.</b> Of {} with a wrong answer, R-hat and ESS looked clean in {}: {}."
        ).format(count, len(unseen), _some(places, MOST_UNSEEN))
    ]


def _best(selection: Selection) -> list[Markup]:
    """The most efficient of the cells that pass everything else, target by target."""
    ranked: dict[tuple[str, str], list[Cell]] = {}
    for cell in _compared(selection):
        judgement = cell.verdicts.get("efficiency")
        if judgement is not None and judgement.verdict == "pass" and given(cell, EFFICIENCY):
            ranked.setdefault((cell.target, cell.start), []).append(cell)
    if not ranked:
        if not any(given(cell, EFFICIENCY) for cell in _compared(selection)):
            return []
        return [Markup("<b>Efficiency.</b> No cell passes every verdict on its answer, so none is ranked by speed.")]
    said = []
    from_start = ", start: {}" if len({start for _, start in ranked}) > 1 else ""
    for (target, start), cells in ranked.items():
        best = max(cells, key=lambda cell: cell.value(EFFICIENCY) or 0.0)
        said.append(
            Markup("{} on {} ({}, best of {}{})").format(
                name(best),
                code(target),
                link(best, numbers.percent(metric_of(best, EFFICIENCY))),
                len(cells),
                from_start.format(numbers.plain_name(start)),
            )
        )
    return [
        Markup(
            "<b>Efficiency</b>, among the cells that pass every verdict on their answer (real ESS per evaluation, as a share "
            "of what independent draws give): {}."
        ).format(join(said))
    ]


def _failures(selection: Selection) -> list[Markup]:
    failed = [cell for cell in selection.results.cells if cell.outcome.failed]
    if not failed:
        return []
    links = [link(cell, f"{name(cell)} on {cell.target} {cell.outcome}") for cell in failed]
    advice = [with_code(outcome.advice) for outcome in dict.fromkeys(cell.outcome for cell in failed)]
    return [
        Markup("<b>{} did not finish</b>: {}. {}").format(
            numbers.count(len(failed), "cell"), _some(links, MOST_FAILED), Markup(" ").join(advice)
        )
    ]


def _some(parts: Sequence[Markup], most: int) -> Markup:
    """The first `most` of them, and how many more there are."""
    if len(parts) <= most:
        return join(parts)
    return Markup("{} and {} more").format(Markup(", ").join(parts[:most]), len(parts) - most)


def _plain_count(selection: Selection) -> Markup:
    """The opening where nothing was run without noise."""
    cells = selection.results.cells
    if not cells:
        return Markup("These results hold no cells.")
    compared = _compared(selection)
    if not compared:
        return Markup("None of the {} of these results gave numbers.").format(numbers.count(len(cells), "cell"))
    right = [cell for cell in compared if _has(cell, "pass", "fail") and not _has(cell, "fail")]
    wrong = [cell for cell in compared if _has(cell, "fail")]
    unclear = [cell for cell in compared if not _has(cell, "pass", "fail") and _has(cell, "inconclusive")]
    count = numbers.count(len(compared), "cell")
    if not right and not wrong:
        why = "too few chains to tell" if unclear else "no known truth"
        return Markup("No answer is judged: the {} compared here {} {}.").format(
            count, "has" if len(compared) == 1 else "have", why
        )
    rest = Markup("; {} too few chains to tell").format(_having(len(unclear))) if unclear else ""
    said = [f"{_failing(len(right))} no verdict on their answer"] if right else []
    said += [f"{_failing(len(wrong))} at least one{'' if right else ' verdict on their answer'}"] if wrong else []
    return Markup("Of {} compared here, {}{}.").format(count, " and ".join(said), rest)


def _failing(cells: int) -> str:
    return "1 fails" if cells == 1 else f"{cells} fail"


def _having(cells: int) -> str:
    return "1 has" if cells == 1 else f"{cells} have"
