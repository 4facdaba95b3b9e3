"""Separate verdicts on every cell, from its rows alone, with the numbers in words.

Never one score, and never a rank for a cell that is wrong. Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Definition, Judgement, MetricValue, Verdict
from mcmc_bench.metrics.groups.convergence import ESS_LIMIT, R_HAT_LIMIT

#: Family-wise error rate of the test for bias over a suite (Holm 1979).
LEVEL = 0.05
#: Largest bias, in standard deviations of a quantile indicator, that may go unseen for a pass.
RESOLUTION = 0.1
#: Mass in the wrong mode that is still right.
WEIGHT_TOLERANCE = 0.05
#: Relative error of the spread within modes that is still right.
SPREAD_TOLERANCE = 0.1
VERDICTS = (
    "exact_kernel", "unbiased", "all_modes", "weights", "spread", "diagnostics_honest", "efficiency",
)  # fmt: skip
_BEFORE_RANKING = ("unbiased", "all_modes", "weights", "spread", "diagnostics_honest")


def judge(cells: Sequence[Cell], definitions: Mapping[str, Definition]) -> None:
    """Fill the verdicts of all cells of a suite, in place.

    The test for bias is one Holm family over all cells, so that a verdict depends on the whole suite. `definitions`
    gives the titles used in the words.
    """
    adjusted = _holm({cell.id: p for cell in cells if (p := cell.value("calibration_p_value")) is not None})
    for cell in cells:
        if cell.outcome is not Outcome.FINISHED:
            verdict: Verdict = "not applicable" if cell.outcome is Outcome.NOT_APPLICABLE else "inconclusive"
            because = f"{cell.outcome}: {cell.message}" if cell.message else cell.outcome
            cell.verdicts = {key: Judgement(verdict, because) for key in VERDICTS}
            continue
        cell.verdicts = {
            "exact_kernel": _exact_kernel(cell),
            "unbiased": _unbiased(cell, adjusted.get(cell.id)),
            "all_modes": _all_modes(cell),
            "weights": _weights(cell, definitions),
            "spread": _spread(cell, definitions),
            "diagnostics_honest": _diagnostics_honest(cell, adjusted.get(cell.id)),
        }
    _rank([cell for cell in cells if cell.outcome is Outcome.FINISHED])


def _holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values: reject where they are below the level."""
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, (key, p) in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - rank) * p))
        adjusted[key] = largest
    return adjusted


def _words(row: MetricValue | None, title: str) -> str:
    if row is None or row.value is None:
        return f"{title}: not given" + (f" ({row.note})" if row is not None and row.note else "")
    interval = "" if row.low is None or row.high is None else f" ({row.low:.3g} to {row.high:.3g})"
    return f"{title} {row.value:.3g}{interval}"


def _not_measured(row: MetricValue | None) -> Judgement | None:
    """A suite may leave groups of metrics out: what nobody asked for is no question that is open."""
    return Judgement("not applicable", "not measured in this suite") if row is None else None


def _left(cell: Cell) -> Judgement | None:
    if cell.stopped_chains == 0:
        return None
    return Judgement("fail", f"{cell.stopped_chains} of {cell.chains * cell.replicates} chains left")


def _exact_kernel(cell: Cell) -> Judgement:
    if cell.sampler_kind == "oracle":
        return Judgement("pass", "declared: independent exact draws")
    if cell.sampler_kind == "optimiser":
        return Judgement("fail", "declared: an optimiser, its kernel keeps no density")
    if cell.sampler_kind == "biased":
        return Judgement("fail", "declared: its step size leaves a bias")
    temperature = cell.settings.get("temperature", 1.0)
    if temperature != 1.0:
        return Judgement("fail", f"declared: at temperature {temperature:g} it keeps p^(1/{temperature:g}), not p")
    return Judgement("pass", "declared: keeps the target at every setting")


def _unbiased(cell: Cell, p: float | None) -> Judgement:
    if left := _left(cell):
        return left
    bias, resolution = cell.metric("largest_bias"), cell.value("bias_resolution")
    if not_measured := _not_measured(bias):
        return not_measured
    if p is None or bias is None or bias.value is None or resolution is None:
        return Judgement("inconclusive", _words(bias, "bias"))
    numbers = f"largest bias of a quantile {bias.value:.3g} sd; p = {p:.2g} after Holm over the suite"
    if p < LEVEL:
        return Judgement("fail", numbers)
    if resolution > RESOLUTION:
        return Judgement("inconclusive", f"{numbers}; a bias below {resolution:.2g} sd would not be seen")
    return Judgement("pass", f"{numbers}; a bias above {resolution:.2g} sd would be seen")


def _within(row: MetricValue | None, title: str, low: float, high: float) -> Judgement:
    """Pass if the interval lies in [low, high], fail if it lies outside, inconclusive if it crosses an end."""
    words = _words(row, title)
    if row is None or row.value is None or row.low is None or row.high is None:
        return Judgement("inconclusive", words if row is None or row.value is None else f"{words}, {row.note}")
    if row.low >= low and row.high <= high:
        return Judgement("pass", words)
    if row.high < low or row.low > high:
        return Judgement("fail", words)
    return Judgement("inconclusive", words)


def _all_modes(cell: Cell) -> Judgement:
    row = cell.metric("modes_found")
    return _not_measured(row) or _no_modes(row) or _left(cell) or _within(row, "share of modes found", 1.0, 1.0)


def _weights(cell: Cell, definitions: Mapping[str, Definition]) -> Judgement:
    row = cell.metric("mode_weight_error")
    return _not_measured(row) or _no_modes(row) or _left(cell) or _within(
        row, definitions["mode_weight_error"].title.lower(), 0.0, WEIGHT_TOLERANCE
    )  # fmt: skip


def _no_modes(row: MetricValue | None) -> Judgement | None:
    if row is not None and row.value is None and "no separate known modes" in row.note:
        return Judgement("not applicable", row.note)
    return None


def _spread(cell: Cell, definitions: Mapping[str, Definition]) -> Judgement:
    row = cell.metric("within_mode_variance_ratio")
    if known := _not_measured(row) or _left(cell):
        return known
    if row is not None and row.value is None and "infinite" in row.note:
        return Judgement("not applicable", row.note)
    title = definitions["within_mode_variance_ratio"].title.lower()
    return _within(row, title, 1.0 - SPREAD_TOLERANCE, 1.0 + SPREAD_TOLERANCE)


def _diagnostics_honest(cell: Cell, p: float | None) -> Judgement:
    if left := _left(cell):
        return Judgement("pass", f"{left.because}, and said so")
    silent = cell.metric("silent_failure")
    if not_measured := _not_measured(silent):
        return not_measured
    if silent is None or silent.value is None:
        return Judgement("inconclusive", _words(silent, "silent failures"))
    limits = (("r_hat_max", "R-hat"), ("ess_bulk_min", "bulk ESS"), ("ess_tail_min", "tail ESS"))
    numbers = "; ".join(_words(cell.metric(key), title) for key, title in limits)
    if silent.value > 0:
        return Judgement("fail", f"{silent.value:.0%} of replicates are silent failures; {numbers}")
    r_hat, bulk, tail = (cell.value(key) for key, _ in limits)
    clean = (
        (r_hat is not None and r_hat < R_HAT_LIMIT)
        and (bulk is not None and bulk >= ESS_LIMIT)
        and (tail is not None and tail >= ESS_LIMIT)
    )
    if clean and p is not None and p < LEVEL:
        return Judgement("fail", f"nothing to see in {numbers}, yet the bias is real: p = {p:.2g} over all replicates")
    return Judgement("pass", f"no silent failure; {numbers}")


def _named(verdicts: Sequence[str]) -> str:
    return ", ".join(key.replace("_", " ") for key in verdicts)


def _rank(cells: Iterable[Cell]) -> None:
    """Rank by efficiency among the selected cells of the same target, start and budget that pass the rest.

    Settings that were tuned, by us with the budget that all have or by the sampler itself, or chosen from a sweep, are a
    sampler's best; others say little. What tuning has cost is said, and is not in the number.
    """
    groups: dict[tuple[str, str, int], list[Cell]] = {}
    for cell in cells:
        wrong = [key for key in _BEFORE_RANKING if cell.verdicts[key].verdict == "fail"]
        unclear = [key for key in _BEFORE_RANKING if cell.verdicts[key].verdict == "inconclusive"]
        share = cell.metric("efficiency")
        words = _words(share, "real ESS per evaluation, share of the oracle's")
        if cell.sampler_kind == "oracle":
            verdict = Judgement("not applicable", f"the yardstick is not ranked; {words}")
        elif wrong:
            verdict = Judgement("not applicable", f"not ranked: fails {_named(wrong)}")
        elif unclear:
            verdict = Judgement("inconclusive", f"not ranked: {_named(unclear)} inconclusive; {words}")
        elif cell.sweep is None and not cell.tuned and not cell.tunes_itself:
            verdict = Judgement("not applicable", f"not ranked: its settings are neither swept nor tuned; {words}")
        elif not cell.selected:
            verdict = Judgement("not applicable", f"not the best setting of its sweep; {words}")
        elif share is None or share.value is None:
            verdict = Judgement("inconclusive", words)
        else:
            groups.setdefault((cell.target, cell.start, cell.budget), []).append(cell)
            continue
        cell.verdicts["efficiency"] = verdict
    for group in groups.values():
        values = np.array([cell.value("efficiency") for cell in group], dtype=float)
        for cell, value in zip(group, values, strict=True):
            place = 1 + int((values > value).sum())
            words = _words(cell.metric("efficiency"), "real ESS per evaluation, share of the oracle's")
            tuning = cell.cost.get("tuning_evaluations")
            words += f"; {tuning:.0f} evaluations of tuning before" if tuning else ""
            cell.verdicts["efficiency"] = Judgement("pass", f"number {place} of {len(group)}; {words}")
