"""Tests and intervals: their false alarms by simulation, their power by what they must see, the sequential rule by its proof."""

import numpy as np
import pytest
from scipy import stats

from mcmc_bench.comparison.inference import (
    Difference,
    Means,
    against_known,
    corrected_t,
    difference,
    first_level,
    larger_bias,
    seen,
    sequential,
)
from mcmc_bench.core.streams import stream

RUNS = 20_000


def within(count, of, level, false_failure=1e-6):
    """Whether `count` of `of` at `level` is what chance gives, but for one time in a million."""
    low, high = stats.binom.ppf([false_failure / 2, 1 - false_failure / 2], of, level)
    return low <= count <= high


def shares(generator, probability, runs=RUNS, replicates=48, draws=60):
    """Shares of independent draws inside an event, (run, replicate): skewed where the event is rare."""
    return generator.binomial(draws, probability, (runs, replicates)) / draws


def estimate(values):
    """Of the runs, (run, replicate)."""
    with np.errstate(invalid="ignore"):
        skewness = np.nan_to_num(stats.skew(values, axis=1, bias=False))  # of what never varies: none
    return Means.of(values.mean(axis=1), values.std(axis=1, ddof=1), skewness, values.shape[1])


def constant(values):
    return ((values == 0) | (values == 1)).mean(axis=1)


def test_shares_of_known_probability_give_uniform_p_values():
    """With the correction for skewness: within a tenth of the level, but for one time in a million each.

    Without it, the 0.1 % level is exceeded 1.4 times too often.
    """
    runs = 100_000
    values = shares(stream("tests", "against known"), 0.05, runs)
    p, _ = against_known(estimate(values), np.full(runs, 0.05), np.zeros(runs), constant(values))
    for level in (0.05, 0.01, 0.001):
        low, high = stats.binom.ppf(5e-7, runs, 0.9 * level), stats.binom.isf(5e-7, runs, 1.1 * level)
        assert low <= (p <= level).sum() <= high, level
    plain = estimate(values)
    uncorrected = 2 * stats.t.sf(np.abs((plain.mean - 0.05) / plain.error), 47)
    assert (uncorrected <= 0.001).mean() > 1.2 * (p <= 0.001).mean()


def test_the_correction_is_monotone_and_vanishes_without_skewness():
    t = np.linspace(-8, 8, 50)
    np.testing.assert_allclose(corrected_t(t, np.zeros(50)), t)
    assert (np.diff(corrected_t(t, np.full(50, 0.3))) > 0).all()


def test_shares_that_are_mostly_constant_are_bounded():
    """Chains that never cross: each replicate is 0 or 1. The bound may be slack; it must not be exceeded."""
    values = shares(stream("tests", "stuck"), 0.05, draws=1)
    p, _ = against_known(estimate(values), np.full(RUNS, 0.05), np.zeros(RUNS), constant(values))
    for level in (0.05, 0.01, 0.001):
        assert (p <= level).sum() <= stats.binom.isf(1e-6, RUNS, level)
    never = Means.of(np.zeros(1), np.zeros(1), np.zeros(1), 200)
    assert against_known(never, np.array([0.05]), np.zeros(1), np.ones(1))[0][0] < 1e-3


def test_the_truth_has_an_error_of_its_own():
    """An estimate two of the truth's errors away is no news."""
    sure = Means.of(np.array([0.52]), np.array([0.001]), np.zeros(1), 100)
    assert against_known(sure, np.array([0.5]), np.zeros(1), np.zeros(1))[0][0] < 1e-12
    assert against_known(sure, np.array([0.5]), np.array([0.01]), np.zeros(1))[0][0] > 0.01


@pytest.mark.parametrize(("bias", "far"), [(0.0, False), (0.05, True)])
def test_an_equal_bias_is_not_a_larger_one(bias, far):
    """At zero the test is conservative, far from zero exact; a bias that has doubled is seen."""
    generator = stream("tests", "growth", bias)
    sides = [estimate(shares(generator, 0.25 + bias)) for _ in range(2)]
    truth, none = np.full(RUNS, 0.25), np.zeros(RUNS)
    p, _ = larger_bias(*sides, truth, none)
    for level in (0.05, 0.01, 0.001):
        assert (p <= level).sum() <= stats.binom.isf(1e-6, RUNS, 1.1 * level)
        if far and level > 0.001:
            assert (p <= level).sum() > 0.5 * level * RUNS
    if far:
        worse = estimate(shares(generator, 0.25 + 2 * bias))
        assert (larger_bias(worse, sides[1], truth, none)[0] <= 0.001).mean() > 0.5
        better = estimate(shares(generator, 0.25))
        assert (larger_bias(better, sides[1], truth, none)[0] <= 0.05).mean() < 0.001


def test_what_never_varies():
    """Collapsed chains: equal is right, and different is as improbable as a split by chance."""
    zero, one = (Means.of(np.array([x]), np.zeros(1), np.zeros(1), 12) for x in (0.0, 1.0))
    truth, none = np.array([0.05]), np.zeros(1)
    assert larger_bias(zero, zero, truth, none)[0][0] == 1.0
    assert larger_bias(one, zero, truth, none)[0][0] < 1e-5


def test_a_difference_covers_as_often_as_it_says():
    """Welch's interval on two normal samples of different spread."""
    generator, level, covered = stream("tests", "welch"), 0.99, 0
    for _ in range(3000):
        found = difference(generator.normal(1.0, 1.0, 12).tolist(), generator.normal(0.0, 3.0, 30).tolist())
        low, high = found.interval(level)
        covered += low <= 1.0 <= high
    assert within(3000 - covered, 3000, 1 - level)
    assert found.above(0.0) == pytest.approx(stats.t.sf(found.value / found.error, found.degrees))
    assert Difference(0.0, 0.0, 1.0).above(0.1) == 1.0


def test_what_is_said_to_be_seen_is_seen():
    """A deviation of the size of `seen` is found 95 times in 100."""
    generator, level, n, runs = stream("tests", "seen"), 1e-4, 48, 4000
    size = seen(1.0 / np.sqrt(n), level, n - 1, sides=2)
    values = generator.normal(size, 1.0, (runs, n))
    p, _ = against_known(estimate(values), np.zeros(runs), np.zeros(runs), np.zeros(runs))
    missed = int((p > level).sum())
    assert stats.binom.ppf(5e-7, runs, 0.045) <= missed <= stats.binom.isf(5e-7, runs, 0.055), missed


@pytest.mark.parametrize(("fresh", "stages"), [(True, 1), (True, 3), (False, 3)])
def test_the_sequential_rule_keeps_its_level(fresh, stages):
    """Uniform p-values, independent ones where evidence is fresh, one and the same where it is shared."""
    alpha, generator, rejected, runs = 0.05, stream("tests", "sequential", fresh, stages), 0, 20_000
    draws = generator.random((runs, stages))
    for row in draws:
        p = row if fresh else np.full(stages, row[0])
        for stage in range(1, stages + 1):
            decision = sequential(p[:stage].tolist(), [True] * stage, alpha=alpha, stages=stages, fresh=fresh)
            if decision != "continue":
                break
        assert decision != "continue"
        rejected += decision == "reject"
    assert rejected <= stats.binom.isf(1e-6, runs, alpha)
    if fresh:
        assert within(rejected, runs, alpha), "the rule spends the whole level where evidence is fresh"


def test_a_stage_that_sees_nothing_earns_nothing():
    """Going on for lack of evidence, whatever the p-value, must not be paid with a larger level."""
    level, credit = first_level(0.05, 3)
    suspicious = level / credit * 0.9
    assert sequential([0.5], [False], alpha=0.05, stages=3, fresh=True) == "continue"
    assert sequential([0.5], [True], alpha=0.05, stages=3, fresh=True) == "accept"
    assert sequential([credit, suspicious], [True, True], alpha=0.05, stages=3, fresh=True) == "reject"
    assert sequential([credit, suspicious], [False, True], alpha=0.05, stages=3, fresh=True) == "continue"
    assert sequential([credit, suspicious], [True, True], alpha=0.05, stages=3, fresh=False) == "continue"
    assert sequential([0.5, 0.5, 0.5], [False, False, False], alpha=0.05, stages=3, fresh=True) == "continue"
