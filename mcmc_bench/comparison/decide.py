"""The rules of a comparison: which cells are matched, what is asked of each, and when it is a regression.

Everything that chance takes part in is a hypothesis; all hypotheses of a comparison share one rate of false alarms.
Knows results. Must not know any format, nor how runs are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcmc_bench.comparison import questions
from mcmc_bench.comparison.inference import Difference, difference, first_level, sequential
from mcmc_bench.comparison.model import (
    SEVERITY,
    CellComparison,
    Comparison,
    Decision,
    Finding,
    NothingComparedError,
    Question,
    worst,
    worst_verdict,
)
from mcmc_bench.comparison.pool import pooled
from mcmc_bench.comparison.summary import count, environment, reasons, same_job, sentences, side_of
from mcmc_bench.core.evidence import Evidence
from mcmc_bench.core.multiple_tests import holm
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Results

#: With fewer replicates an interval at the levels of a family is wider than anything worth knowing.
FEWEST_REPLICATES = 8
#: Slowdown above which wall time is worth a warning.
TIME_WARNING = 0.2


@dataclass(frozen=True)
class Rule:
    """The rule of a comparison: what counts as right, and the rate of false alarms."""

    alpha: float = 0.001  # rate of false regressions, over the whole comparison
    margin: float = 0.2  # more gradients that are still right: for the suite's geometric mean; twice that for one cell
    resolution: float = 0.2  # largest bias, in standard deviations of an indicator, that may go unseen for a pass
    divergence_cap: float = 0.001  # growth of the share of divergent transitions that is still right
    time_margin: float | None = None  # more seconds an evaluation that are still right; None: only warn

    def __post_init__(self) -> None:
        for name, value, above, below in (
            ("alpha", self.alpha, 0.0, 0.5),
            ("margin", self.margin, 0.0, 10.0),
            ("resolution", self.resolution, 0.0, 10.0),
            ("divergence_cap", self.divergence_cap, -1e-300, 1.0),
            ("time_margin", 1.0 if self.time_margin is None else self.time_margin, 0.0, 100.0),
        ):
            if not above < value < below:
                raise ValueError(f"{name} = {value!r} must be between {max(above, 0.0):g} and {below:g}")


def compare(
    baseline: Results | None, candidate: Results, rule: Rule, *, paths: tuple[str, str] = ("", "")
) -> Comparison:
    """Compare two runs cell by cell.

    Args:
        baseline: what was accepted; None asks only what can be asked of the candidate alone.
        candidate: what is to be judged.
        rule: see `Rule`.
        paths: of the two sides, for the words.

    Raises:
        NothingComparedError: no cell is on both sides, or none has anything that can be compared.
    """
    return _Comparing(baseline, candidate, rule, paths).comparison()


@dataclass
class _Pair:
    """One cell of the candidate with that of the baseline, the answers so far and the hypotheses to settle."""

    cell: Cell
    before: Cell | None
    findings: list[Finding]
    hypotheses: list[questions.Hypothesis]


class _Comparing:
    """One call of `compare`."""

    def __init__(self, baseline: Results | None, candidate: Results, rule: Rule, paths: tuple[str, str]) -> None:
        self.baseline, self.candidate, self.rule, self.paths = baseline, candidate, rule, paths
        self.stages = int(candidate.provenance.get("stages", 1))
        self.confidence = 1.0 - rule.alpha / self.stages
        self.before = {} if baseline is None else {cell.match: cell for cell in baseline.cells}
        self.same_job = baseline is not None and same_job(baseline.provenance, candidate.provenance)

    def comparison(self) -> Comparison:
        pairs = [self._pair(cell) for cell in self.candidate.cells]
        if self.baseline is not None and not any(pair.before is not None for pair in pairs):
            raise NothingComparedError(
                f"{self._name(1)} and {self._name(0)} have no cell in common: "
                f"{len(self.candidate.cells)} and {len(self.baseline.cells)} cells, none the same; run the same suite"
            )
        mean = self._geometric_mean(pairs)
        tests = [test for pair in pairs for test in pair.hypotheses] + ([mean] if mean is not None else [])
        settled = self._settle(tests)
        cells = []
        for pair in pairs:
            findings = tuple(pair.findings + [settled[id(test)] for test in pair.hypotheses])
            cells.append(_cell_comparison(pair, findings))
        present = {cell.match for cell in self.candidate.cells}
        vanished = tuple(_label(cell) for match, cell in self.before.items() if match not in present)
        if all(cell.verdict == "not measured" for cell in cells) and not vanished:
            raise NothingComparedError(f"{self._name(1)}: no cell has anything that can be compared{reasons(cells)}")
        cells.sort(key=lambda cell: (SEVERITY.index(cell.verdict), -_badness(cell)))
        new = tuple(_label(pair.cell) for pair in pairs if pair.before is None) if self.baseline is not None else ()
        overall = [settled[id(mean)]] if mean is not None else []
        if vanished:
            words = f"{count(len(vanished), 'cell')} of the baseline {'is' if len(vanished) == 1 else 'are'} missing"
            overall.insert(0, Finding("present", "regression", words))
        verdict = worst_verdict([worst(overall), *(cell.verdict for cell in cells)])
        return Comparison(
            verdict=verdict,
            summary=sentences(verdict, cells, overall, self.rule.alpha, len(tests), self.stages),
            cells=tuple(cells),
            overall=tuple(overall),
            only_baseline=vanished,
            only_candidate=new,
            notes=tuple(self._notes(pairs)),
            baseline=side_of(self.baseline, self.paths[0]),
            candidate=side_of(self.candidate, self.paths[1]),
            alpha=self.rule.alpha,
            margin=self.rule.margin,
            resolution=self.rule.resolution,
            hypotheses=len(tests),
            stages=self.stages,
        )

    def _name(self, side: int) -> str:
        return self.paths[side] or ("the baseline", "the candidate")[side]

    # ------------------------------------------------------------ one cell

    def _pair(self, cell: Cell) -> _Pair:
        before = self.before.get(cell.match)
        pair = _Pair(cell, before, [], [])
        if cell.outcome is Outcome.NOT_APPLICABLE and (before is None or before.outcome is Outcome.NOT_APPLICABLE):
            pair.findings.append(Finding("ran", "not measured", f"not applicable: {cell.message}"))
            return pair
        if cell.outcome is not Outcome.FINISHED:
            also = "; so did the baseline" if before is not None and before.outcome == cell.outcome else ""
            pair.findings.append(Finding("ran", "regression", f"{cell.outcome}: {cell.message}{also}"))
            return pair
        if not cell.evidence:
            pair.findings.append(Finding("ran", "not measured", "not measured: no evidence is stored"))
            return pair
        pair.findings += [_moved(cell), _evaluations(cell)]
        finished = before is not None and before.outcome is Outcome.FINISHED and bool(before.evidence)
        baseline = pooled(before.evidence) if finished and before is not None else None
        self._ask_whether_finite(pair, baseline)
        self._ask_correctness(pair, baseline)
        if baseline is not None:
            self._ask_costs(pair, baseline)
        return pair

    def _ask_whether_finite(self, pair: _Pair, baseline: Evidence | None) -> None:
        cell, stages = pair.cell, pair.cell.evidence
        now = pooled(stages)
        stopped, chains = sum(now.stopped_chains), cell.chains * now.replicates
        words = f"{stopped} of {chains} chains became non-finite"
        # A kernel that rejects what is not finite stays finite; others may stop, as often as before.
        if stopped and (baseline is None or cell.sampler_kind == "exact"):
            pair.findings.append(Finding("finite", "regression", words, stopped / chains))
        elif stopped and baseline is not None:
            shares = [[count / cell.chains for count in side.stopped_chains] for side in (now, baseline)]
            of_before = f"; in the baseline {np.mean(shares[1]):.2%}"
            self._hypothesis(
                pair,
                questions.Share("finite", self._shares(pair, "stopped_chains", cell.chains), words + of_before, 0.0),
            )
        else:
            pair.findings.append(Finding("finite", "pass", "all chains stayed finite", 0.0))
        if baseline is not None and (any(now.divergent) or any(baseline.divergent)):
            words = f"{np.mean(now.divergent):.3%} of the transitions diverge, in the baseline {np.mean(baseline.divergent):.3%}"
            self._hypothesis(
                pair,
                questions.Share("divergences", self._shares(pair, "divergent", 1), words, self.rule.divergence_cap),
            )

    def _shares(self, pair: _Pair, name: str, of: int) -> list[Difference]:
        assert pair.before is not None

        def values(evidence: Evidence) -> list[float]:
            return [value / of for value in getattr(evidence, name)]

        stages, baseline = pair.cell.evidence, pooled(pair.before.evidence)
        if min(baseline.replicates, stages[0].replicates) < 2:
            return []
        return [difference(values(pooled(stages[: k + 1])), values(baseline)) for k in range(len(stages))]

    def _ask_correctness(self, pair: _Pair, baseline: Evidence | None) -> None:
        stages = pair.cell.evidence
        if pair.cell.sampler_kind == "optimiser":
            pair.findings.append(Finding("correctness", "not measured", "not measured: an optimiser keeps no density"))
        elif stages[0].replicates < FEWEST_REPLICATES:
            words = f"not measured: {stages[0].replicates} replicates; {FEWEST_REPLICATES} is the least to test with"
            pair.findings.append(Finding("correctness", "not measured", words))
        elif any(evidence.indicators is None for evidence in stages):
            stopped = sum(pooled(stages).stopped_chains) > 0
            why = "chains became non-finite" if stopped else "no quantile of the target is known"
            pair.findings.append(Finding("correctness", "not measured", f"not measured: {why}"))
        elif stages[0].expected_from:
            self._hypothesis(pair, questions.Bias(stages, self.rule.resolution))
        elif baseline is None or baseline.indicators is None or baseline.replicates < FEWEST_REPLICATES:
            pair.findings.append(
                Finding("correctness", "not measured", "not measured: its bias is not known, and there is no baseline")
            )
        elif stages[0].indicators is not None and stages[0].indicators.name != baseline.indicators.name:
            pair.findings.append(
                Finding("correctness", "not measured", "not measured: the sides test different quantiles of the target")
            )
        else:
            self._hypothesis(pair, questions.BiasGrowth(stages, baseline, self.rule.resolution))

    def _ask_costs(self, pair: _Pair, baseline: Evidence) -> None:
        stages, limit = pair.cell.evidence, 1.0 + 2.0 * self.rule.margin
        kind = pair.cell.sampler_kind
        if kind in ("oracle", "optimiser"):
            words = "the yardstick of efficiency has none" if kind == "oracle" else "an optimiser has none"
            pair.findings.append(Finding("efficiency", "not measured", f"not measured: {words}"))
        elif min(stages[0].replicates, baseline.replicates) < FEWEST_REPLICATES:
            words = f"not measured: {stages[0].replicates} and {baseline.replicates} replicates; {FEWEST_REPLICATES} a side is the least"
            pair.findings.append(Finding("efficiency", "not measured", words))
        else:
            for ask in (questions.efficiency, questions.low_error):
                asked = ask(stages, baseline, limit, self.confidence)
                if isinstance(asked, Finding):
                    pair.findings.append(asked)
                else:
                    self._hypothesis(pair, asked)
            if self.same_job:
                self._ask_time(pair, stages, baseline)

    def _ask_time(self, pair: _Pair, stages: Sequence[Evidence], baseline: Evidence) -> None:
        decides = self.rule.time_margin is not None
        limit = 1.0 + (TIME_WARNING if self.rule.time_margin is None else self.rule.time_margin)
        asked = questions.seconds(stages, baseline, limit, self.confidence, decides)
        if decides:
            self._hypothesis(pair, asked)
        elif asked.interval(len(stages) - 1)[0] > limit:
            pair.findings.append(asked.finding("regression", 1.0, self.rule.alpha))
        else:
            pair.findings.append(asked.finding("pass", 1.0, self.rule.alpha))

    @staticmethod
    def _hypothesis(pair: _Pair, test: questions.Hypothesis) -> None:
        if test.p_values:
            pair.hypotheses.append(test)

    def _geometric_mean(self, pairs: Sequence[_Pair]) -> questions.Ratio | None:
        """Over all cells with a measured efficiency, each at its last stage."""
        found = [
            test.differences[-1]
            for pair in pairs
            for test in pair.hypotheses
            if isinstance(test, questions.Ratio) and test.question == "efficiency"
        ]
        if not found:
            return None
        squares = [one.error**2 for one in found]
        freedom = sum(square**2 / one.degrees for square, one in zip(squares, found, strict=True))
        total = Difference(
            value=float(np.mean([one.value for one in found])),
            error=float(np.sqrt(sum(squares))) / len(found),
            degrees=sum(squares) ** 2 / freedom if freedom > 0 else 1.0,
        )
        return questions.Ratio(
            "efficiency",
            [total],
            1.0 + self.rule.margin,
            self.confidence,
            "the gradients it needed for the same error",
            f"geometric mean of {count(len(found), 'cell')}",
        )

    # ------------------------------------------------------------ the family

    def _settle(self, tests: Sequence[questions.Hypothesis]) -> dict[int, Finding]:
        """The finding of every hypothesis, by its id.

        One stage: Holm over the family. Several: Bonferroni, since cells stop at different stages.
        """
        family = max(1, len(tests))
        plain = [[min(1.0, family * p) for p in test.p_values] for test in tests]
        adjusted = [[p] for p in holm([test.p_values[0] for test in tests])] if self.stages == 1 else plain
        first, credit = first_level(self.rule.alpha, self.stages)
        settled = {}
        for test, values in zip(tests, adjusted, strict=True):
            # An error is seen if it makes a stage go on, and in the last stage if it makes it reject.
            sees = [test.sees(stage, self._level(stage, first, credit) / family) for stage in range(len(values))]
            decision = sequential(values, sees, alpha=self.rule.alpha, stages=self.stages, fresh=test.fresh)
            verdict: Decision = {"reject": "regression", "accept": "pass", "continue": "inconclusive"}[decision]  # type: ignore[assignment]
            level = self._level(len(values) - 1, first, credit) / family
            settled[id(test)] = test.finding(verdict, min(values) if verdict == "regression" else values[-1], level)
        return settled

    def _level(self, stage: int, first: float, credit: float) -> float:
        return first if stage >= self.stages - 1 else first + credit

    # ------------------------------------------------------------ words

    def _notes(self, pairs: Sequence[_Pair]) -> list[str]:
        if self.baseline is None:
            return ["No baseline: only correctness against the truth is judged, and whether the cells ran."]
        notes = environment(self.baseline.provenance, self.candidate.provenance)
        if notes:
            notes.append("Costs are compared in target evaluations, which no environment changes.")
        if not self.same_job:
            notes.append("Seconds are not compared: the sides did not run on the same machine in the same job.")
        if self.baseline.provenance.get("seed") == self.candidate.provenance.get("seed"):
            notes.append(
                "Both sides share the seed: cells whose code is unchanged are equal to the last digit, and intervals "
                "of changed ones are too wide rather than too narrow."
            )
        if not self.candidate.provenance.get("complete", True):
            notes.append("The candidate's run was interrupted.")
        changed = sorted({pair.cell.target for pair in pairs if _truth_changed(pair)})
        if changed:
            notes.append(f"The truth differs between the sides: {', '.join(changed)}.")
        return notes


def _truth_changed(pair: _Pair) -> bool:
    sides = [cell.evidence[0].indicators for cell in (pair.cell, pair.before) if cell is not None and cell.evidence]
    if len(sides) < 2 or sides[0] is None or sides[1] is None:
        return False
    same_length = len(sides[0].truth) == len(sides[1].truth)
    return not same_length or not np.allclose(sides[0].truth, sides[1].truth, atol=1e-6)


def _moved(cell: Cell) -> Finding:
    """A kernel that never moves keeps every distribution, and would pass for exact."""
    moved = pooled(cell.evidence).moved
    if any(moved):
        return Finding("ran", "pass", "finished")
    return Finding("ran", "regression", "no chain has moved from its start")


def _evaluations(cell: Cell) -> Finding:
    evidence = pooled(cell.evidence)
    planned = evidence.planned_evaluations
    counted = [
        value for value, stopped in zip(evidence.evaluations, evidence.stopped_chains, strict=True) if not stopped
    ]
    if planned is None or not counted:
        return Finding("evaluations", "not measured", "not measured: the suite does not say how many")
    off = max(counted, key=lambda value: abs(value - planned))
    if abs(off - planned) > 1e-9 * planned:
        return Finding(
            "evaluations", "regression", f"counted {off:g} evaluations of a chain, the suite says {planned:g}", off
        )
    return Finding("evaluations", "pass", f"{planned:g} evaluations of a chain, as the suite says", planned)


def _cell_comparison(pair: _Pair, findings: tuple[Finding, ...]) -> CellComparison:
    cell = pair.cell
    replicates = [
        pooled(side.evidence).replicates if side is not None and side.evidence else 0 for side in (pair.before, cell)
    ]
    return CellComparison(
        match=cell.match,
        experiment=cell.experiment,
        target=cell.target,
        sampler=cell.sampler,
        sampler_kind=cell.sampler_kind,
        settings=dict(cell.settings),
        start=cell.start,
        budget=cell.budget,
        replicates=(replicates[0], replicates[1]),
        findings=findings,
    )


def _label(cell: Cell) -> str:
    return _cell_comparison(_Pair(cell, None, [], []), ()).label


def _badness(cell: CellComparison) -> float:
    """The place of a cell among those of the same verdict: failures first, then by the size of the change."""
    finding = cell.decisive
    if finding is None:
        return 0.0
    order: dict[Question, float] = {"ran": 4e6, "present": 4e6, "evaluations": 3e6, "finite": 2e6, "correctness": 1e6}
    return order.get(finding.question, 0.0) + min(1e5, abs(finding.value or 0.0))
