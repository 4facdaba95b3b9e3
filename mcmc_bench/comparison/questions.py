"""The questions that chance takes part in: each a hypothesis "nothing got worse" with its p-values, stage by stage.

Knows evidence and inference. Must not know how many hypotheses share the rate of false alarms: `decide` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from mcmc_bench.comparison.inference import Difference, Means, against_known, degrees, difference, larger_bias, seen
from mcmc_bench.comparison.model import Decision, Finding, Question
from mcmc_bench.comparison.pool import estimate, known, log_costs, pooled
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.evidence import Evidence

#: Draws' worth of one chain below which its error says nothing about efficiency: a chain that never moves has 1.
LOWEST_REAL_ESS = 3.0
#: Share of the baseline's replicates that may end before their error is low.
MOST_CENSORED = 0.2


class Hypothesis(Protocol):
    """That nothing got worse, in one respect."""

    question: Question
    fresh: bool  # whether each stage has evidence of its own

    @property
    def p_values(self) -> list[float]:
        """The p-value of each stage."""

    def sees(self, stage: int, level: float) -> bool:
        """Whether the evidence of a stage is enough for a pass, at this level of a single hypothesis."""

    def finding(self, verdict: Decision, adjusted: float, level: float) -> Finding:
        """The answer in words, with the numbers after the last stage."""


class _OnIndicators:
    """The part of a hypothesis on indicators that does not depend on what they are compared with."""

    tolerance: float  # the largest resolution that allows a pass

    @cached_property
    def _tested(self) -> list[tuple[Array, Array, Means]]:
        """p-values, standard errors and means of each stage."""
        raise NotImplementedError

    @cached_property
    def p_values(self) -> list[float]:
        """Bonferroni over the indicators."""
        return [min(1.0, float(p.min()) * len(p)) for p, _, _ in self._tested]

    def resolution(self, stage: int, level: float) -> float:
        """The largest over the indicators of the smallest error that would be seen, in their standard deviations."""
        raise NotImplementedError

    def sees(self, stage: int, level: float) -> bool:
        """See `Hypothesis`."""
        return self.resolution(stage, level) <= self.tolerance


@dataclass
class Bias(_OnIndicators):
    """Against what is known: the truth, or a bias in closed form."""

    stages: Sequence[Evidence]
    tolerance: float  # the largest resolution that allows a pass
    question: Question = "correctness"
    fresh: bool = True

    @cached_property
    def _tested(self) -> list[tuple[Array, Array, Means]]:
        """p-values, standard errors and means of each stage."""
        found = []
        for evidence in self.stages:
            assert evidence.indicators is not None
            means = estimate(evidence)
            p, error = against_known(means, *known(evidence), np.array(evidence.indicators.constant))
            found.append((np.where(self._deviation > 0, p, 1.0), error, means))
        return found

    @property
    def _deviation(self) -> Array:
        """Standard deviation of each indicator under what is known; 0 for what is certain."""
        probability = np.clip(known(self.stages[0])[0], 0.0, 1.0)
        return np.sqrt(probability * (1.0 - probability))

    def resolution(self, stage: int, level: float) -> float:
        """The largest over the indicators of the smallest bias that would be seen, in their standard deviations."""
        p, error, means = self._tested[stage]
        usable = self._deviation > 0
        single = seen(1.0, level / len(p), means.replicates - 1, sides=2)
        return float((single * error[usable] / self._deviation[usable]).max())

    def finding(self, verdict: Decision, adjusted: float, level: float) -> Finding:
        """See `Hypothesis`."""
        stage = int(np.argmin(self.p_values)) if verdict == "regression" else len(self.stages) - 1
        p, error, means = self._tested[stage]
        index, probability = int(p.argmin()), known(self.stages[0])[0]
        deviation = self._deviation[index]
        bias = float(abs(means.mean[index] - probability[index]) / deviation)
        half = seen(float(error[index]), level, means.replicates - 1) / deviation
        indicators = self.stages[0].indicators
        assert indicators is not None
        resolution = self.resolution(stage, level)
        source = "the truth" if self.stages[0].expected_from == "truth" else "its known bias"
        where = (
            f"{indicators.name[index]} (share {means.mean[index]:.4f}, by {source} {probability[index]:.4f}; "
            f"p = {_p(adjusted)} after correction)"
        )
        return Finding(
            self.question,
            verdict,
            _bias_words(verdict, bias, where, resolution, self.tolerance),
            bias,
            max(0.0, bias - half),
            bias + half,
            self.p_values[stage],
            adjusted,
            resolution,
        )


@dataclass
class BiasGrowth(_OnIndicators):
    """Against the baseline, where a bias or a transient is to be expected: it must not have become larger."""

    stages: Sequence[Evidence]
    baseline: Evidence
    tolerance: float
    question: Question = "correctness"
    fresh: bool = False  # every stage is compared with the same baseline, on all candidates' evidence so far

    @cached_property
    def _tested(self) -> list[tuple[Array, Array, Means]]:
        found = []
        for stage in range(len(self.stages)):
            means = estimate(pooled(self.stages[: stage + 1]))
            p, error = larger_bias(means, estimate(self.baseline), self._truth, self._truth_error)
            found.append((np.where(self._deviation > 0, p, 1.0), error, means))
        return found

    @property
    def _truth(self) -> Array:
        assert self.baseline.indicators is not None
        return np.array(self.baseline.indicators.truth)

    @property
    def _truth_error(self) -> Array:
        assert self.baseline.indicators is not None
        return np.array(self.baseline.indicators.truth_error)

    @property
    def _deviation(self) -> Array:
        return np.sqrt(np.clip(self._truth * (1.0 - self._truth), 0.0, None))

    def resolution(self, stage: int, level: float) -> float:
        """As in `Bias`, of the growth of the bias."""
        p, error, means = self._tested[stage]
        usable = self._deviation > 0
        freedom = degrees(means, estimate(self.baseline))[usable]
        single = [seen(e, level / len(p), f) for e, f in zip(error[usable], freedom, strict=True)]
        return float((np.array(single) / self._deviation[usable]).max())

    def finding(self, verdict: Decision, adjusted: float, level: float) -> Finding:
        """See `Hypothesis`."""
        stage = len(self.stages) - 1
        p, error, means = self._tested[stage]
        index = int(p.argmin())
        deviation, before = self._deviation[index], estimate(self.baseline)
        biases = [float(abs(side.mean[index] - self._truth[index]) / deviation) for side in (before, means)]
        half = seen(float(error[index]), level, means.replicates - 1) / deviation
        indicators, resolution = self.baseline.indicators, self.resolution(stage, level)
        assert indicators is not None
        where = (
            f"{indicators.name[index]} (share {means.mean[index]:.4f}, in the baseline {before.mean[index]:.4f}, "
            f"truth {self._truth[index]:.4f}; p = {_p(adjusted)} after correction)"
        )
        growth = biases[1] - biases[0]
        return Finding(
            self.question,
            verdict,
            _growth_words(verdict, growth, where, resolution, self.tolerance),
            growth,
            growth - half,
            growth + half,
            self.p_values[stage],
            adjusted,
            resolution,
        )


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-12 else "below 1e-12"


def _bias_words(verdict: Decision, bias: float, where: str, resolution: float, tolerance: float) -> str:
    if verdict == "regression":
        return f"is biased: off by {bias:.2g} sd in the {where}; one of {resolution:.2g} sd would have been seen"
    if verdict == "pass":
        return f"no bias seen; one of {resolution:.2g} sd would have been; the most suspect is the {where}"
    return f"bias not decided: {_why(resolution, tolerance)}; the most suspect is the {where}"


def _growth_words(verdict: Decision, growth: float, where: str, resolution: float, tolerance: float) -> str:
    if verdict == "regression":
        return f"is biased more than the baseline, by {growth:.2g} sd, in the {where}"
    if verdict == "pass":
        return (
            f"not biased more than the baseline; {resolution:.2g} sd more would have been seen; the most suspect is the "
            f"{where}"
        )
    return f"bias against the baseline not decided: {_why(resolution, tolerance)}; the most suspect is the {where}"


def _why(resolution: float, tolerance: float) -> str:
    if resolution > tolerance:
        return (
            f"only one of {resolution:.2g} sd would have been seen and {tolerance:g} is asked for; give more replicates"
        )
    return "it is suspected, and further replicates decide (mcmc-bench gate runs them)"


@dataclass
class Ratio:
    """A cost, candidate over baseline, against a margin."""

    question: Question
    differences: Sequence[Difference]  # of logarithms; of each stage
    limit: float  # largest ratio that is still right
    confidence: float
    unit: str  # what is needed, in words
    note: str = ""
    decides: bool = True
    fresh: bool = False

    @cached_property
    def p_values(self) -> list[float]:
        """Of "the ratio is at most the limit"."""
        return [found.above(float(np.log(self.limit))) for found in self.differences]

    def interval(self, stage: int) -> tuple[float, float]:
        """Of the ratio."""
        low, high = self.differences[stage].interval(self.confidence)
        return float(np.exp(low)), float(np.exp(high))

    def sees(self, stage: int, level: float) -> bool:  # noqa: ARG002 - a pass rests on the interval alone
        """Whether the whole interval lies below the limit."""
        return self.interval(stage)[1] <= self.limit

    def finding(self, verdict: Decision, adjusted: float, level: float) -> Finding:
        """See `Hypothesis`."""
        last = self.differences[-1]
        low, high = self.interval(len(self.differences) - 1)
        value = float(np.exp(last.value))
        would = self.limit * float(np.exp(seen(last.error, level, last.degrees)))
        words = f"needs {_times(value, low, high)} {self.unit}"
        if verdict == "inconclusive":
            words += f"; the interval crosses {self.limit:g}×"
        elif verdict == "pass" and high < 1.0:
            words += ": better than before"
        return Finding(
            self.question,
            verdict,
            words + (f"; {self.note}" if self.note else ""),
            value,
            low,
            high,
            self.p_values[-1],
            adjusted,
            would,
            self.decides,
        )


def _times(value: float, low: float, high: float) -> str:
    """Ratio and interval with the digits that the interval allows, at most three."""
    places = 1 if high - low > 1.0 else 2 if high - low > 0.03 else 3
    return f"{value:.{places}f}× ({low:.{places}f}–{high:.{places}f})"


@dataclass
class Share:
    """The share of something bad, candidate − baseline, against a cap."""

    question: Question
    differences: Sequence[Difference]
    counts: str  # what was counted, in words
    cap: float
    fresh: bool = False

    @cached_property
    def p_values(self) -> list[float]:
        """Of "the share has grown by at most the cap"."""
        return [found.above(self.cap) for found in self.differences]

    def sees(self, stage: int, level: float) -> bool:  # noqa: ARG002 - a cap that is not exceeded is enough
        """Always."""
        return True

    def finding(self, verdict: Decision, adjusted: float, level: float) -> Finding:
        """See `Hypothesis`."""
        last = self.differences[-1]
        half = seen(last.error, level, last.degrees)
        return Finding(
            self.question,
            verdict,
            self.counts,
            last.value,
            last.value - half,
            last.value + half,
            self.p_values[-1],
            adjusted,
            self.cap + half,
        )


def efficiency(stages: Sequence[Evidence], baseline: Evidence, limit: float, confidence: float) -> Ratio | Finding:
    """Real ESS per target evaluation, as evaluations for the same error: candidate over baseline."""
    before = log_costs(baseline)
    if before is None or any(log_costs(evidence) is None for evidence in stages):
        return _not_measured("efficiency", "not measured: chains became non-finite")
    if _real_ess(baseline) < LOWEST_REAL_ESS:
        # The number itself would make of one reason as many as there are cells.
        return _not_measured(
            "efficiency",
            f"not measured: the real ESS of a baseline chain is below {LOWEST_REAL_ESS:g}: nothing to compare",
        )
    differences = []
    for stage in range(len(stages)):
        now = log_costs(pooled(stages[: stage + 1]))
        assert now is not None
        differences.append(Difference(0.0, 0.0, 1.0) if now == before else difference(now, before))
    return Ratio("efficiency", differences, limit, confidence, "the gradients it needed for the same error")


def _real_ess(evidence: Evidence) -> float:
    """Real ESS of a chain, geometric mean over replicates."""
    errors = [error for error in evidence.squared_error if error is not None]
    return float(np.exp(-np.mean(np.log(errors))))


def low_error(stages: Sequence[Evidence], baseline: Evidence, limit: float, confidence: float) -> Ratio | Finding:
    """Evaluations until the error is low: candidate over baseline.

    A replicate whose error is not low at the end counts with all of its evaluations: a lower bound.
    """
    before, missing = _until_low(baseline)
    if missing > MOST_CENSORED * baseline.replicates:
        words = f"not measured: in more than {MOST_CENSORED:.0%} of the baseline's replicates the error is not low at the end"
        return _not_measured("low error", words)
    differences, censored = [], 0
    for stage in range(len(stages)):
        now, censored = _until_low(pooled(stages[: stage + 1]))
        differences.append(Difference(0.0, 0.0, 1.0) if now == before else difference(now, before))
    parts = [(missing, "baseline"), (censored, "candidate")]
    ends = " and ".join(f"{count} {side} replicates" for count, side in parts if count)
    note = f"{ends} end before it is low and count with all of their evaluations" if ends else ""
    return Ratio("low error", differences, limit, confidence, "the gradients it needed until its error was low", note)


def _until_low(evidence: Evidence) -> tuple[list[float], int]:
    """Logarithms of the evaluations of each replicate until its error is low, and how many are lower bounds."""
    pairs = list(zip(evidence.low_error_evaluations, evidence.evaluations, strict=True))
    return [float(np.log(every if low is None else low)) for low, every in pairs], sum(low is None for low, _ in pairs)


def seconds(stages: Sequence[Evidence], baseline: Evidence, limit: float, confidence: float, decides: bool) -> Ratio:
    """Seconds for a target evaluation: candidate over baseline."""

    def logs(evidence: Evidence) -> list[float]:
        pairs = zip(evidence.seconds, evidence.evaluations, strict=True)
        return [float(np.log(max(time, 1e-9) / evaluations)) for time, evaluations in pairs]

    differences = [difference(logs(pooled(stages[: k + 1])), logs(baseline)) for k in range(len(stages))]
    return Ratio("time", differences, limit, confidence, "the seconds it took for an evaluation", decides=decides)


def _not_measured(question: Question, words: str) -> Finding:
    return Finding(question, "not measured", words)
