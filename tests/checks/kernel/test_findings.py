"""The statistics of `verify` have the rate of false alarms that they promise, at any level and however skewed, and power.

Each test below lets a right case be refused with probability below one in a million.
"""

import numpy as np
import pytest
from scipy import stats

from mcmc_bench.checks.kernel.findings import (
    SHARE,
    KernelFinding,
    at_rest,
    balanced_signs,
    distance,
    has_distribution,
    has_variance,
    mean_zero,
    same_distribution,
    uncorrelated,
    within,
)
from mcmc_bench.checks.kernel.verify import ALPHA, STAGES, TESTS
from mcmc_bench.core.streams import stream

LEVEL = ALPHA / len(STAGES) / TESTS
CASES = 400


def large(size):
    return -np.expm1(-size)


def energy_errors(generator, n, scale=2.0):
    """Of random-walk Metropolis on N(0, 1) in equilibrium; e^−s has a heavy tail."""
    x = generator.standard_normal(n)
    y = x + scale * generator.standard_normal(n)
    return 0.5 * (y**2 - x**2)


RIGHT = {
    "same distribution": lambda g, level: same_distribution(
        "", "", g.standard_normal(300), np.sort(g.standard_normal(1200)), level
    ),
    "same distribution, small steps": lambda g, level: same_distribution(
        "", "", g.integers(0, 3, 300) * 1.0, np.sort(g.integers(0, 3, 900) * 1.0), level
    ),
    "has distribution": lambda g, level: has_distribution("", "", g.standard_normal(300), stats.norm.cdf, level),
    "has variance": lambda g, level: has_variance("", "", 3.0 * g.standard_normal(300), 9.0, level),
    "uncorrelated": lambda g, level: uncorrelated("", "", g.standard_normal(300), g.standard_normal(300), level),
    "mean zero, two values": lambda g, level: mean_zero("", "", 2.0 * (g.random(300) < 0.02) - 0.04, level),
    "signs": lambda g, level: balanced_signs("", "", energy_errors(g, 300), level, np.ones_like),
    "signs of large": lambda g, level: balanced_signs("", "", energy_errors(g, 300, 8.0), level, large),
}


@pytest.mark.parametrize("level", [0.05, 0.002])
@pytest.mark.parametrize("name", RIGHT)
def test_false_alarms_stay_below_the_level(name, level):
    alarms = sum(not RIGHT[name](stream("false alarms", name, case), level).passed for case in range(CASES))
    assert alarms <= stats.binom.isf(1e-6, CASES, level), alarms


def test_a_normal_approximation_would_not():
    """Student's test of E e^−s = 1 over |s| < 3, on the same energy errors: one rare acceptance decides, and it is wrong."""
    alarms = 0
    for case in range(CASES):
        s = energy_errors(stream("false alarms", "student", case), 300, 8.0)
        values = np.where(np.abs(s) < 3.0, np.expm1(-np.clip(s, -3.0, 3.0)), 0.0)
        alarms += stats.ttest_1samp(values, 0.0).pvalue < 0.002
    assert alarms > stats.binom.isf(1e-6, CASES, 0.002), alarms


def test_what_is_called_detectable_is_detected():
    """A shift of this size is seen with probability 0.95 at least; all of 40 times twice that size."""
    for case in range(40):
        generator = stream("power", case)
        x, reference = generator.standard_normal(4000), np.sort(generator.standard_normal(64000))
        seen = same_distribution("", "", x, reference, LEVEL).detectable
        shift = 2.0 * stats.norm.ppf(0.5 + seen / 2.0)  # moves a share by `seen`
        assert not same_distribution("", "", x + 2.0 * shift, reference, LEVEL).passed
        assert same_distribution("", "", x + 0.04, reference, LEVEL, margin=0.02).passed
        assert not has_distribution("", "", x + 2.0 * shift, stats.norm.cdf, LEVEL).passed
        seen = has_variance("", "", x, 1.0, LEVEL).detectable
        assert not has_variance("", "", x * np.sqrt(1.0 + 2.0 * seen), 1.0, LEVEL).passed
        seen = uncorrelated("", "", x, x, LEVEL).detectable
        y = generator.standard_normal(4000)
        assert not uncorrelated("", "", x, y + 2.0 * seen * x, LEVEL).passed
        seen = mean_zero("", "", np.tanh(x), LEVEL).detectable
        assert not mean_zero("", "", np.tanh(x) + 2.0 * seen, LEVEL).passed


def test_wrong_energy_errors_are_seen():
    s = energy_errors(stream("wrong energy errors"), 8000)
    for weight in (np.ones_like, large):
        assert balanced_signs("", "", s, LEVEL, weight).passed
        assert not balanced_signs("", "", 0.6 * s, LEVEL, weight).passed  # the ratio to a power
        assert not balanced_signs("", "", -s, LEVEL, weight).passed
        assert not balanced_signs("", "", np.append(s, -np.inf), LEVEL, weight).passed
        assert balanced_signs("", "", np.append(s, [np.inf, np.nan]), LEVEL, weight).passed
    assert balanced_signs("", "", np.zeros(10), LEVEL, np.ones_like).passed  # nothing was proposed elsewhere


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_does_not_pass(bad):
    x = stream("not finite").standard_normal(1000)
    spoilt = np.where(np.arange(1000) == 7, bad, x)
    for finding in (
        same_distribution("", "x", spoilt, np.sort(x), LEVEL, margin=1.0),
        has_distribution("", "x", spoilt, stats.norm.cdf, LEVEL),
        has_variance("", "x", spoilt, 1.0, LEVEL),
        mean_zero("", "x", spoilt, LEVEL),
        uncorrelated("", "x", spoilt, x, LEVEL),
    ):
        assert finding.failed
        assert "1 of 1000 values are not finite" in finding.what
    with pytest.raises(ValueError, match="reference draws are not finite"):
        same_distribution("", "x", x, spoilt, LEVEL)
    assert not within("", "", np.nan, 1.0).passed
    assert KernelFinding("", "", np.nan, LEVEL, 0.0, SHARE, 0.0).failed


def test_constant_values():
    assert mean_zero("", "", np.zeros(10), 1e-6).passed
    assert not mean_zero("", "", np.ones(100), 1e-6).passed
    assert uncorrelated(
        "", "", np.zeros(10), np.arange(10.0), 1e-6
    ).failed  # a chain that does not move has no distribution


def test_distance_is_that_of_kolmogorov_and_smirnov():
    generator = stream("distance")
    for values, reference in (
        (generator.standard_normal(50), generator.standard_normal(70) + 0.3),
        (generator.integers(0, 4, 50) * 1.0, generator.integers(1, 5, 70) * 1.0),
        (generator.integers(1, 5, 50) * 1.0, generator.integers(0, 4, 70) * 1.0),
        (np.zeros(5), np.ones(5)),
    ):
        expected = stats.ks_2samp(values, reference, method="asymp").statistic
        assert distance(values, np.sort(reference)) == pytest.approx(expected)


def test_inconclusive_is_neither():
    finding = KernelFinding("", "", 0.0, LEVEL, 0.0, SHARE, 0.1, inconclusive=True)
    assert not finding.passed
    assert not finding.failed
    assert str(finding).startswith("inconclusive")


def test_rest():
    before = stream("rest").standard_normal(2000)
    after = stream("rest", 2).standard_normal(2000)
    assert at_rest(before, after, 1e-6)
    assert at_rest(before, before, 1e-6)
    assert not at_rest(before, after + 0.3, 1e-6)
