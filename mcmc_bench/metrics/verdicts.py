"""Separate verdicts on every cell, from its metric values alone, with the numbers in words.

A verdict is one function: its name is the key, its docstring the question that it answers. Never one score, and never a rank
for a cell that is wrong. Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mcmc_bench.core.multiple_tests import holm
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Definition, Judgement, MetricValue, Verdict, VerdictDefinition
from mcmc_bench.metrics.groups.convergence import ESS_LIMIT, R_HAT_LIMIT

#: Family-wise error rate of the test for bias over a suite (Holm 1979).
LEVEL = 0.05
#: Largest bias, in standard deviations of a quantile indicator, that may go unseen for a pass.
RESOLUTION = 0.1
#: Mass in the wrong mode that is still right.
WEIGHT_TOLERANCE = 0.05
#: Relative error of the spread within modes that is still right.
SPREAD_TOLERANCE = 0.1


@dataclass(frozen=True)
class Case:
    """A cell that is judged, in its suite; it has the verdicts that are declared before the present one."""

    cell: Cell
    suite: Sequence[Cell]  # all finished cells
    definitions: Mapping[str, Definition]
    p_value: float | None  # of the test for bias, after Holm over the suite

    @property
    def non_finite(self) -> Judgement | None:
        """The failure of a cell with chains that became non-finite."""
        cell = self.cell
        if cell.stopped_chains == 0:
            return None
        return Judgement("fail", f"{cell.stopped_chains} of {cell.chains * cell.replicates} chains became non-finite")

    def words(self, key: str) -> str:
        """A metric in words, by its title."""
        title = self.definitions[key].title
        return _words(self.cell.metric(key), title[0].lower() + title[1:])

    def not_asked(self, key: str, *no_question: str) -> Judgement | None:
        """The verdict where it is no open question; None where it is one.

        Because a suite may leave groups of metrics out, or because the note of the metric `key` says one of `no_question`.
        """
        found = self.cell.metric(key)
        if found is None:
            return Judgement("not applicable", "not measured in this suite")
        if found.value is None and any(reason in found.note for reason in no_question):
            return Judgement("not applicable", found.note)
        return None

    def within(self, key: str, low: float, high: float) -> Judgement:
        """Pass if the interval of a metric lies in [low, high], fail if it lies outside, inconclusive if it crosses an end."""
        found, words = self.cell.metric(key), self.words(key)
        if found is None or found.value is None:
            return Judgement("inconclusive", words)
        if found.low is None or found.high is None:
            return Judgement("inconclusive", f"{words}, {found.note}")
        if found.low >= low and found.high <= high:
            return Judgement("pass", words)
        if found.high < low or found.low > high:
            return Judgement("fail", words)
        return Judgement("inconclusive", words)


@dataclass(frozen=True)
class DeclaredVerdict:
    """A verdict: what it asks, and how it is reached."""

    key: str
    definition: VerdictDefinition
    function: Callable[[Case], Judgement]


def verdict(title: str) -> Callable[[Callable[[Case], Judgement]], DeclaredVerdict]:
    """Declare the decorated function as a verdict."""

    def declare(function: Callable[[Case], Judgement]) -> DeclaredVerdict:
        question = " ".join((function.__doc__ or "").split())
        return DeclaredVerdict(function.__name__, VerdictDefinition(title, question), function)

    return declare


def declared() -> list[DeclaredVerdict]:
    """Every verdict, in the order of the page, which is that of this file."""
    return [one for one in globals().values() if isinstance(one, DeclaredVerdict)]


def verdict_definitions() -> dict[str, VerdictDefinition]:
    """Title and question of every verdict, in the order of the page."""
    return {one.key: one.definition for one in declared()}


def judge(cells: Sequence[Cell], definitions: Mapping[str, Definition]) -> None:
    """Fill the verdicts of all cells of a suite, in place.

    The test for bias is one Holm family over all cells, so that a verdict depends on the whole suite. `definitions` are
    those of the metrics, whose titles the words use.
    """
    tested = [(cell.id, p) for cell in cells if (p := cell.value("calibration_p_value")) is not None]
    adjusted = dict(zip((key for key, _ in tested), holm([p for _, p in tested]), strict=True))
    finished = [cell for cell in cells if cell.outcome is Outcome.FINISHED]
    for cell in cells:
        cell.verdicts = {} if cell.outcome is Outcome.FINISHED else _of_unfinished(cell)
    for one in declared():  # verdict by verdict: the last ranks cells by those before it
        for cell in finished:
            cell.verdicts[one.key] = one.function(Case(cell, finished, definitions, adjusted.get(cell.id)))


def _of_unfinished(cell: Cell) -> dict[str, Judgement]:
    found: Verdict = "not applicable" if cell.outcome is Outcome.NOT_APPLICABLE else "inconclusive"
    because = f"{cell.outcome}: {cell.message}" if cell.message else str(cell.outcome)
    return {one.key: Judgement(found, because) for one in declared()}


def _words(found: MetricValue | None, title: str) -> str:
    if found is None or found.value is None:
        return f"{title}: not given" + (f" ({found.note})" if found is not None and found.note else "")
    interval = "" if found.low is None or found.high is None else f" ({found.low:.3g} to {found.high:.3g})"
    return f"{title} {found.value:.3g}{interval}"


# ------------------------------------------------------------ the verdicts


@verdict("Exact kernel")
def exact_kernel(case: Case) -> Judgement:
    """Does the kernel keep the target, as declared?"""
    kind = case.cell.sampler_kind
    if kind == "oracle":
        return Judgement("pass", "declared: independent exact draws")
    if kind == "optimiser":
        return Judgement("fail", "declared: an optimiser, its kernel keeps no density")
    if kind == "biased":
        return Judgement("fail", "declared: its step size leaves a bias")
    temperature = case.cell.settings.get("temperature", 1.0)
    if temperature != 1.0:
        return Judgement("fail", f"declared: at temperature {temperature:g} it keeps p^(1/{temperature:g}), not p")
    return Judgement("pass", "declared: keeps the target at every setting")


@verdict("Unbiased")
def unbiased(case: Case) -> Judgement:
    """Is no bias of a known quantile seen at this setting, and would one be seen?"""
    if settled := case.non_finite or case.not_asked("largest_bias"):
        return settled
    bias, resolution, p = case.cell.value("largest_bias"), case.cell.value("bias_resolution"), case.p_value
    if p is None or bias is None or resolution is None:
        return Judgement("inconclusive", case.words("largest_bias"))
    numbers = f"largest bias of a quantile {bias:.3g} sd; p = {p:.2g} after Holm over the suite"
    if p < LEVEL:
        return Judgement("fail", numbers)
    if resolution > RESOLUTION:
        return Judgement("inconclusive", f"{numbers}; a bias below {resolution:.2g} sd would not be seen")
    return Judgement("pass", f"{numbers}; a bias above {resolution:.2g} sd would be seen")


@verdict("All modes")
def all_modes(case: Case) -> Judgement:
    """Is every known mode found?"""
    settled = case.not_asked("modes_found", "no separate known modes") or case.non_finite
    return settled or case.within("modes_found", 1.0, 1.0)


@verdict("Weights")
def weights(case: Case) -> Judgement:
    """Do the modes hold their true shares of the draws?"""
    settled = case.not_asked("mode_weight_error", "no separate known modes") or case.non_finite
    return settled or case.within("mode_weight_error", 0.0, WEIGHT_TOLERANCE)


@verdict("Spread")
def spread(case: Case) -> Judgement:
    """Is the spread within modes the true one?"""
    key = "within_mode_variance_ratio"
    settled = case.not_asked(key) or case.non_finite or case.not_asked(key, "infinite")
    return settled or case.within(key, 1.0 - SPREAD_TOLERANCE, 1.0 + SPREAD_TOLERANCE)


@verdict("Diagnostics honest")
def diagnostics_honest(case: Case) -> Judgement:
    """Did R-hat and ESS raise an alarm where the answer is wrong?"""
    if failed := case.non_finite:
        return Judgement("pass", f"{failed.because}, and said so")
    if not_asked := case.not_asked("silent_failure"):
        return not_asked
    silent = case.cell.value("silent_failure")
    if silent is None:
        return Judgement("inconclusive", case.words("silent_failure"))
    keys = ("r_hat_max", "ess_bulk_min", "ess_tail_min")
    numbers = "; ".join(case.words(key) for key in keys)
    if silent > 0:
        return Judgement("fail", f"{silent:.0%} of replicates are silent failures; {numbers}")
    r_hat, bulk, tail = (case.cell.value(key) for key in keys)
    clean = (
        (r_hat is not None and r_hat < R_HAT_LIMIT)
        and (bulk is not None and bulk >= ESS_LIMIT)
        and (tail is not None and tail >= ESS_LIMIT)
    )
    p = case.p_value
    if clean and p is not None and p < LEVEL:
        return Judgement("fail", f"nothing to see in {numbers}, yet the bias is real: p = {p:.2g} over all replicates")
    return Judgement("pass", f"no silent failure; {numbers}")


@verdict("Efficiency")
def efficiency(case: Case) -> Judgement:
    """Place by real ESS per evaluation, among cells that pass the verdicts on their answer."""
    if unranked := _unranked(case):
        return unranked
    cell = case.cell
    ranked = [
        other.value("efficiency") or 0.0
        for other in case.suite
        if (other.target, other.start, other.budget) == (cell.target, cell.start, cell.budget)
        and _unranked(replace(case, cell=other)) is None
    ]
    place = 1 + sum(value > (cell.value("efficiency") or 0.0) for value in ranked)
    tuning = cell.cost.get("tuning_evaluations")
    spent = f"; {tuning:.0f} evaluations of tuning before" if tuning else ""
    return Judgement("pass", f"number {place} of {len(ranked)}; {case.words('efficiency')}{spent}")


def _unranked(case: Case) -> Judgement | None:
    """Why a cell is not ranked; None if it is: one that passes the other verdicts, at the best of a sampler's settings.

    Settings that were tuned, by us with the budget that all have or by the sampler itself, or chosen from a sweep, are a
    sampler's best; others say little. What tuning has cost is said, and is not in the number.
    """
    cell, words = case.cell, case.words("efficiency")
    judged = {key: one.verdict for key, one in cell.verdicts.items() if key not in ("exact_kernel", "efficiency")}
    wrong = [key for key, found in judged.items() if found == "fail"]
    unclear = [key for key, found in judged.items() if found == "inconclusive"]
    if cell.sampler_kind == "oracle":
        return Judgement("not applicable", f"the yardstick is not ranked; {words}")
    if wrong:
        return Judgement("not applicable", f"not ranked: fails {_named(wrong)}")
    if unclear:
        return Judgement("inconclusive", f"not ranked: {_named(unclear)} inconclusive; {words}")
    if cell.sweep is None and not cell.tuned and not cell.tunes_itself:
        return Judgement("not applicable", f"not ranked: its settings are neither swept nor tuned; {words}")
    if not cell.selected:
        return Judgement("not applicable", f"not the best setting of its sweep; {words}")
    return Judgement("inconclusive", words) if cell.value("efficiency") is None else None


def _named(verdicts: Sequence[str]) -> str:
    return ", ".join(key.replace("_", " ") for key in verdicts)
