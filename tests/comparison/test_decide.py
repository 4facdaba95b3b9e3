"""The rules: what is matched, what is a regression, what is not decided, and what is not even asked.

Evidence is made up from normal numbers with known bias and cost, so that every verdict has one right answer.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mcmc_bench.comparison import NothingComparedError, Rule, compare
from mcmc_bench.comparison.pool import pooled
from mcmc_bench.core.evidence import Evidence, Indicators
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Results
from mcmc_bench.core.streams import stream
from mcmc_bench.metrics.evidence import describe

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def evidence(name, *, bias=0.0, cost=1.0, replicates=48, expected_from="truth", deviation=0.02, **change):
    """Of replicates whose shares are off by `bias` and whose squared error is `cost` times 0.01."""
    generator = stream("tests", "decide", name)
    shares = np.clip(np.array(LEVELS) + bias + deviation * generator.standard_normal((replicates, len(LEVELS))), 0, 1)
    errors = 0.01 * cost * np.exp(0.3 * generator.standard_normal(replicates))
    indicators = Indicators(
        [f"{level:.0%} quantile of log p" for level in LEVELS], list(LEVELS), [0.0] * 5, None, None, **describe(shares)
    )
    found = Evidence(
        replicates,
        expected_from,
        1000.0,
        [1000.0] * replicates,
        errors.tolist(),
        (300.0 * cost * np.exp(0.2 * generator.standard_normal(replicates))).tolist(),
        (0.01 * np.exp(0.1 * generator.standard_normal(replicates))).tolist(),
        [0] * replicates,
        [1.0] * replicates,
        [0.0] * replicates,
        indicators,
    )
    return replace(found, **change)


def cell(name="a", side="candidate", kind="exact", **options):
    made = Cell(
        f"id {name}",
        "main",
        "banana",
        f"hmc {name}",
        kind,
        {"step_size": 0.5},
        "exact",
        1000,
        0.25,
        16,
        48,
        match=f"match {name}",
        evidence=[evidence((name, side), **options)],
    )
    made.metric_values = []
    return made


def results(*cells, **provenance):
    given = {"seed": "s", "complete": True, "python": "3.11", "machine": "m", "job": "1", **provenance}
    return Results("suite", "", "", list(cells), {}, {}, given)


def against(candidate, *before, rule=None, **provenance):
    """The comparison of one candidate cell with a right baseline."""
    accepted = results(*(before or (cell(side="baseline"),)), seed="other")
    return compare(accepted, results(candidate, **provenance), rule or Rule())


def verdict_on(question, comparison):
    found = comparison.cells[0].finding(question)
    return None if found is None else found.verdict


def test_equal_code_passes():
    found = against(cell())
    assert found.verdict == "pass"
    assert {question: verdict_on(question, found) for question in ("ran", "evaluations", "finite", "correctness")} == {
        "ran": "pass",
        "evaluations": "pass",
        "finite": "pass",
        "correctness": "pass",
    }
    assert found.cells[0].replicates == (48, 48)
    efficiency = found.cells[0].finding("efficiency")
    assert efficiency.low < 1 < efficiency.high < 1.4
    assert found.summary[0] == "Pass: 1 of 1 cell is still right."


@pytest.mark.parametrize(
    ("options", "question"),
    [
        ({"bias": 0.03}, "correctness"),
        ({"cost": 2.2}, "efficiency"),
        ({"cost": 2.2}, "low error"),
        ({"evaluations": [1001.0] * 48}, "evaluations"),
        ({"stopped_chains": [0] * 47 + [1]}, "finite"),
        ({"divergent": [0.1, 0.12] * 24}, "divergences"),
        ({"moved": [0.0] * 48}, "ran"),
    ],
)
def test_what_got_worse_is_a_regression(options, question):
    found = against(cell(**options))
    assert found.verdict == "regression"
    assert verdict_on(question, found) == "regression"
    assert found.summary[0].startswith(
        "Regression: 1 of 1 cell got worse. hmc a(step_size=0.5) on banana, exact start:"
    )


def test_the_words_have_the_numbers():
    words = against(cell(cost=2.2)).cells[0].finding("efficiency").words
    assert words.startswith("needs 2."), words
    assert "× (" in words
    assert "gradients it needed for the same error" in words
    words = against(cell(bias=0.03)).cells[0].finding("correctness").words
    assert "is biased: off by 0." in words
    assert "by the truth 0." in words
    assert "would have been seen" in words


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.failed])
def test_a_cell_that_breaks_is_a_regression(outcome):
    broken = replace(cell(), outcome=outcome, message="why", evidence=[])
    found = against(broken, cell(side="baseline"), cell("b", "baseline"))
    assert verdict_on("ran", found) == "regression"
    assert f"{outcome}: why" in found.summary[0]
    both = against(broken, replace(broken), cell("b", "baseline"))
    assert "so did the baseline" in both.cells[0].findings[0].words


def test_what_was_never_applicable_is_no_regression():
    absent = replace(cell("b"), outcome=Outcome.NOT_APPLICABLE, message="no exact sampler", evidence=[])
    found = compare(results(cell(side="baseline"), absent), results(cell(), absent), Rule())
    assert found.verdict == "pass"
    assert found.count("not measured") == 1
    stopped = compare(results(cell(side="baseline"), cell("b")), results(cell(), absent), Rule())
    assert stopped.verdict == "regression"


def test_cells_that_vanish_are_a_regression_and_new_ones_are_listed():
    found = against(cell(), cell(side="baseline"), cell("gone", "baseline"))
    assert found.verdict == "regression"
    assert found.only_baseline == ("hmc gone(step_size=0.5) on banana, exact start",)
    assert "1 cell of the baseline is missing" in " ".join(found.summary)
    new = compare(results(cell(side="baseline")), results(cell(), cell("new")), Rule())
    assert new.verdict == "pass"
    assert new.only_candidate == ("hmc new(step_size=0.5) on banana, exact start",)
    wrong = compare(results(cell(side="baseline")), results(cell(), cell("new", bias=0.05)), Rule())
    assert wrong.verdict == "regression", "a new cell is judged by the truth"


def test_nothing_in_common_is_no_pass():
    with pytest.raises(NothingComparedError, match="no cell in common"):
        against(cell("b"))
    with pytest.raises(NothingComparedError, match="no cell in common"):
        compare(results(), results(), Rule())
    unfit = replace(cell(kind="optimiser"), outcome=Outcome.NOT_APPLICABLE, evidence=[])
    with pytest.raises(NothingComparedError, match="no cell has anything that can be compared"):
        compare(results(unfit), results(unfit), Rule())


def test_a_cell_without_a_hypothesis_is_not_compared_and_no_pass():
    """That it ran and counted its evaluations is no answer to what a comparison asks; what fails there still counts."""
    few = {"replicates": 2}
    with pytest.raises(NothingComparedError, match=r"no cell has anything that can be compared \(.*8 is the least"):
        against(cell(**few), cell(side="baseline", **few))
    both = compare(results(cell(side="baseline"), cell("b", **few)), results(cell(), cell("b", **few)), Rule())
    assert {one.match: one.verdict for one in both.cells} == {"match a": "pass", "match b": "not measured"}
    assert both.verdict == "pass"
    assert both.summary[0] == "Pass: 1 of 1 cell is still right; 1 cell was not compared."
    assert against(cell(**few, moved=[0.0, 0.0])).verdict == "regression"
    vanished = against(cell(**few), cell(side="baseline"), cell("gone", "baseline"))
    assert vanished.verdict == "regression", "a cell that is missing is one, whatever could be compared"


@pytest.mark.parametrize(
    ("options", "question", "why"),
    [
        ({"deviation": 0.3}, "correctness", "give more replicates"),
        ({"cost": 1.35}, "efficiency", "the interval crosses 1.4×"),
    ],
)
def test_what_cannot_be_told_is_inconclusive(options, question, why):
    found = against(cell(**options))
    assert found.verdict == "inconclusive"
    assert verdict_on(question, found) == "inconclusive"
    assert why in found.cells[0].finding(question).words


@pytest.mark.parametrize(
    ("candidate", "before", "question", "why"),
    [
        (cell(kind="optimiser"), cell(side="baseline"), "efficiency", "an optimiser has none"),
        (cell(kind="oracle"), cell(side="baseline"), "efficiency", "the yardstick of efficiency has none"),
        (cell(), cell(side="baseline", cost=50.0), "efficiency", "the real ESS of a baseline chain is"),
        (cell(replicates=4), cell(side="baseline"), "efficiency", "8 a side is the least"),
        (cell(replicates=4), cell(side="baseline"), "correctness", "8 is the least"),
        (
            cell(),
            cell(side="baseline", low_error_evaluations=[None] * 48),
            "low error",
            "in more than 20% of the baseline",
        ),
        (cell(indicators=None), cell(side="baseline"), "correctness", "no quantile of the target is known"),
        (cell(kind="optimiser"), cell(side="baseline"), "correctness", "an optimiser keeps no density"),
        (cell(planned_evaluations=None), cell(side="baseline"), "evaluations", "does not say how many"),
    ],
)
def test_what_is_not_measured_says_why(candidate, before, question, why):
    found = compare(
        results(before, cell("b", "baseline")), results(candidate, cell("b")), Rule()
    )  # the second so that something is compared
    (asked,) = (one.finding(question) for one in found.cells if one.match == "match a")
    assert asked.verdict == "not measured"
    assert why in asked.words


def test_a_bias_that_is_known_or_was_there_is_none():
    """A biased kernel is judged by its closed form, or else by the baseline's bias, and only a larger one counts."""
    shifted = [level + 0.03 for level in LEVELS]
    known = cell(kind="biased", bias=0.03, expected_from="closed form")
    known.evidence[0].indicators = replace(known.evidence[0].indicators, expected=shifted, expected_error=[0.0] * 5)
    assert against(known).verdict == "pass"
    assert "by its known bias" in against(known).cells[0].finding("correctness").words
    right = cell(kind="biased", expected_from="closed form")
    right.evidence[0].indicators = replace(right.evidence[0].indicators, expected=shifted, expected_error=[0.0] * 5)
    assert against(right).verdict == "regression", "a biased kernel without its bias is another kernel"

    def as_biased(side, bias):
        return cell(side=side, kind="biased", bias=bias, expected_from="")

    assert against(as_biased("candidate", 0.03), as_biased("baseline", 0.03)).verdict == "pass"
    assert against(as_biased("candidate", 0.0), as_biased("baseline", 0.03)).verdict == "pass"
    worse = against(as_biased("candidate", 0.06), as_biased("baseline", 0.03))
    assert worse.verdict == "regression"
    assert "biased more than the baseline" in worse.cells[0].finding("correctness").words


def test_chains_that_left_before_are_no_regression():
    """Where a kernel may leave, as many as before are right; many more are not."""
    few, many = [1, 0, 0, 0] * 12, [4] * 48
    before = cell(side="baseline", kind="biased", stopped_chains=few, expected_from="")
    for stopped, verdict in ((few, "pass"), (many, "regression")):
        found = against(cell(kind="biased", stopped_chains=stopped, expected_from=""), before)
        assert verdict_on("finite", found) == verdict


def test_the_mean_of_the_suite_sees_what_no_cell_shows():
    """Thirty cells of 1.3 times the cost: each within twice the margin, the suite is not."""
    names = [f"cell {index}" for index in range(30)]
    found = compare(
        results(*(cell(name, "baseline") for name in names)), results(*(cell(name, cost=1.3) for name in names)), Rule()
    )
    assert found.overall[0].verdict == "regression"
    assert found.verdict == "regression"
    assert not found.count("regression")
    assert "geometric mean of 30 cells" in found.overall[0].words


def test_equal_seeds_and_equal_numbers():
    """Unchanged code with the same seed is equal to the last digit."""
    same = results(cell(side="baseline"), seed="s")
    found = compare(same, results(cell(side="baseline"), seed="s"), Rule())
    assert found.verdict == "pass"
    assert found.cells[0].finding("efficiency").value == 1.0
    assert any("share the seed" in note for note in found.notes)


def test_seconds_only_warn_and_only_within_one_job():
    slow = [0.05] * 24 + [0.051] * 24
    warned = against(cell(seconds=slow))
    time = warned.cells[0].finding("time")
    assert warned.verdict == "pass"
    assert (time.verdict, time.decides) == ("regression", False)
    assert against(cell(seconds=slow), rule=Rule(time_margin=0.5)).verdict == "regression"
    assert against(cell(seconds=slow), rule=Rule(time_margin=9.0)).verdict == "pass"
    elsewhere = against(cell(seconds=slow), rule=Rule(time_margin=0.5), job="2", python="3.13")
    assert elsewhere.verdict == "pass"
    assert elsewhere.cells[0].finding("time") is None
    assert any("Seconds are not compared" in note for note in elsewhere.notes)
    assert any("python: 3.11 in the baseline, 3.13 in the candidate" in note for note in elsewhere.notes)


def test_without_a_baseline_only_the_truth_is_asked():
    found = compare(None, results(cell()), Rule())
    assert found.verdict == "pass"
    assert found.only_candidate == ()
    assert compare(None, results(cell(bias=0.05)), Rule()).verdict == "regression"
    alone = compare(None, results(cell(), cell("b", kind="biased", expected_from="")), Rule())
    assert "there is no baseline" in next(c for c in alone.cells if c.sampler == "hmc b").finding("correctness").words


def test_a_truth_that_changed_is_said():
    other = cell()
    other.evidence[0].indicators = replace(other.evidence[0].indicators, truth=[0.1, 0.25, 0.5, 0.75, 0.95])
    assert any("truth differs" in note for note in against(other).notes)


def test_stages_are_pooled_where_the_baseline_is_shared():
    """Undecided after one stage, decided with the evidence of the second; a stage alone is what the truth is asked."""
    first = cell(deviation=0.25)
    assert against(first, stages=3).verdict == "inconclusive"
    first.evidence.append(evidence("further", replicates=192, deviation=0.05))
    second = against(first, stages=3)
    assert verdict_on("correctness", second) == "pass"
    assert second.cells[0].replicates == (48, 240)
    assert second.stages == 3


def test_pooled_evidence_is_that_of_all_replicates():
    """Means, standard deviations and skewnesses of two parts give those of the whole."""
    generator = stream("tests", "pooling")
    values = generator.gamma(2.0, 0.05, (60, 5))

    def part(rows):
        indicators = Indicators(["a"] * 5, [0.1] * 5, [0.0] * 5, None, None, **describe(rows))
        return replace(evidence("x", replicates=len(rows)), indicators=indicators)

    both, whole = pooled([part(values[:22]), part(values[22:])]), part(values)
    assert both.replicates == 60
    for name in ("mean", "standard_deviation", "skewness", "constant"):
        np.testing.assert_allclose(getattr(both.indicators, name), getattr(whole.indicators, name), rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 0.0}, "alpha = 0.0"),
        ({"alpha": 0.7}, "alpha"),
        ({"margin": -1.0}, "margin"),
        ({"time_margin": 0.0}, "time"),
    ],
)
def test_a_rule_that_cannot_be(change, message):
    with pytest.raises(ValueError, match=message):
        Rule(**change)


def test_false_alarms_of_a_whole_comparison():
    """Eight cells of equal code at alpha = 0.05: at most that share of alarms, but for one time in a million."""
    alarms, runs = 0, 100
    for run in range(runs):
        names = [f"{run} {index}" for index in range(8)]
        sides = ([cell(name, side) for name in names] for side in ("baseline", "candidate"))
        alarms += compare(*(results(*side) for side in sides), Rule(alpha=0.05)).verdict == "regression"
    assert alarms <= stats.binom.isf(1e-6, runs, 0.05)
