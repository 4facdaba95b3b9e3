"""The exponent of cost against dimension, on made-up costs whose exponent is known."""

import pytest
from made_up_results import cell, metric_value

from mcmc_bench.core.results import Results, TargetFacts
from mcmc_bench.report.sections.dimension import METRIC, growths


def facts(dim):
    return TargetFacts(f"k{dim}", "round", {"dim": dim}, dim, "", "", "", [], "exact", "", 0.0)


def results_of(costs, **further):
    """One sampler's cells, dim to cost; a cost of None is censored."""
    cells = []
    for dim, cost in costs.items():
        made = cell(f"round(dim={dim})", "mala", f"id{dim}")
        share = 1.0 / cost if cost is not None else 1e-9
        made.metric_values = [metric_value(METRIC, share), metric_value("real_ess", 75_000 * share)]
        made.selected = True
        cells.append(made)
    targets = {f"round(dim={dim})": facts(dim) for dim in costs}
    return Results("s", "t", "d", cells, {}, targets, {}, **further)


def test_the_exponent_of_a_power_law():
    (growth,) = growths(results_of({d: 7.0 * d**0.25 for d in (2, 10, 100, 1000)}))
    assert growth.exponent == pytest.approx(0.25)
    assert growth.low == pytest.approx(0.25)
    assert growth.fitted == [10, 100, 1000]


def test_what_is_not_known_is_shown_and_not_fitted():
    (growth,) = growths(results_of({2: 2.0, 10: 10.0, 100: 100.0, 1000: None}))
    assert growth.exponent == pytest.approx(1.0)
    assert growth.fitted == [2, 10, 100]
    assert [dim for dim, _ in growth.points] == [2, 10, 100, 1000]
    (few,) = growths(results_of({2: 2.0, 10: 10.0, 100: None}))
    assert few.exponent is None


def test_two_dimensions_are_no_line():
    assert growths(results_of({2: 2.0, 10: 10.0})) == []


def test_noise_is_in_the_interval():
    (growth,) = growths(results_of({2: 2.2, 10: 9.0, 100: 115.0, 1000: 930.0}))
    assert growth.low < 1.0 < growth.high
    assert growth.high - growth.low > 0.05
