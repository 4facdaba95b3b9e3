"""A cell as a whole: groups, intervals, chains that became non-finite, and draws from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import xarray

from mcmc_bench import metrics
from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.sampling.api import sample
from mcmc_bench.sampling.replicate import Plan, run

from .conftest import evaluate, independent, make_draws


def test_every_value_is_defined_and_every_definition_has_a_value(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    known = metrics.definitions()
    found = evaluate(toy, spoiled["independent"])
    # Given where there is no exact sampler, where parameters have another scale too, and where a sampler records it.
    elsewhere = {"kernel_stein_discrepancy", "constrained_bias_squared_average", "constrained_bias_squared_max"}
    elsewhere |= {"leapfrog_steps", "swap_rejection", "replica_round_trips_per_1000"}
    elsewhere |= {key for key, definition in known.items() if definition.group == "examples"}  # of learned targets
    assert set(found) == set(known) - elsewhere
    assert {definition.group for definition in known.values()} == set(metrics.group_names())
    for key, one in found.items():
        assert one.value is not None, key
        assert one.replicates == len(spoiled["independent"])
        assert one.low is None or one.low <= one.value <= one.high, key
        assert (one.low is not None) or one.note or one.censored or key == "gradients_to_low_error", key


def test_groups_compute_only_what_is_asked(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    known = metrics.definitions()
    for group in metrics.group_names():
        computed = {known[key].group for key in evaluate(toy, spoiled["independent"], group)}
        assert computed == ({group} if group != "examples" else set())  # the toy was not learned
    with pytest.raises(ValueError, match="did you mean 'modes'"):
        evaluate(toy, spoiled["independent"], "mode")
    with pytest.raises(ValueError, match="at least one"):
        metrics.evaluate_cell([], toy, metrics.Reference.of(toy), budget=1, warmup_share=0.0)


def test_predictions_are_attached(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    found, _ = metrics.evaluate_cell(
        spoiled["inflated"],
        toy,
        metrics.Reference.of(toy),
        budget=400,
        warmup_share=0.0,
        groups=["modes"],
        predicted={"within_mode_variance_ratio": 1.2},
    )
    assert [one.metric for one in found if one.predicted is not None] == ["within_mode_variance_ratio"]


def test_evaluation_is_reproducible(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    assert evaluate(toy, spoiled["reweighted"]) == evaluate(toy, spoiled["reweighted"])


def test_a_chain_that_left_is_never_dropped(toy: Target) -> None:
    """One of 80 chains: estimates that would include it have no value, and say why; real ESS is 0."""
    replicates = [make_draws(toy, independent(toy, "left", r)) for r in range(4)]
    position = replicates[2].position.copy()
    position[7, 250:] = np.nan
    replicates[2] = make_draws(toy, position)
    found = evaluate(toy, replicates)
    failed = """r_hat_max ess_bulk_min bias_squared_max z_max silent_failure sliced_wasserstein_1 energy_distance
        log_density_gap mode_weight_error within_mode_variance_ratio modes_found distinct_end_points
        calibration_p_value"""
    for metric in failed.split():
        assert found[metric].value is None, metric
        assert "1 of 80 chains became non-finite" in found[metric].note, metric
    assert found["real_ess"].value == 0.0
    assert found["efficiency"].value == 0.0
    assert found["stopped_chains"].value == 0.25
    assert metrics.selection_score(replicates, toy) == -np.inf


def test_all_chains_left(toy: Target) -> None:
    gone = [make_draws(toy, np.full((8, 50, 2), np.nan)) for _ in range(2)]
    found = evaluate(toy, gone)
    assert found["gradients_to_low_error"].censored
    assert found["stopped_chains"].value == 8
    assert found["bias_squared_max"].value is None


def test_interval_covers_as_often_as_it_says() -> None:
    """Of 1000 intervals of 4 normal values 950 ± 7 cover; fewer than 915 or more than 985 has probability 1e−6."""
    generator = stream("metrics tests", "coverage")
    covered = {"linear": 0, "log": 0, "z instead of t": 0}
    for values in generator.normal(10.0, 1.0, (1000, 4)):
        for scale in ("linear", "log"):
            one = over_replicates(list(values), scale=scale)
            covered[scale] += one.low <= 10.0 <= one.high
        half = 1.96 * values.std(ddof=1) / 2
        covered["z instead of t"] += abs(values.mean() - 10.0) <= half
    assert 915 < covered["linear"] < 985
    assert 915 < covered["log"] < 985
    assert covered["z instead of t"] < 915  # the mutant


def test_one_replicate_has_no_interval_and_a_failure_no_value() -> None:
    one = over_replicates([3.0])
    assert (one.value, one.low, one.high) == (3.0, None, None)
    assert "one replicate" in one.note
    one = over_replicates([3.0, np.nan])
    assert one.value is None
    assert "1 of 2" in one.note
    one = over_replicates([0.5, 0.25], scale="inverse")
    assert one.value == pytest.approx(1 / 0.375)


def test_a_tree_is_evaluated_like_a_run() -> None:
    target = load_target("gaussian", dim=3)
    tree = sample(target, "oracle", draws=500, chains=8, seed="metrics tests")
    frame = metrics.evaluate(tree, target).set_index("metric")
    assert frame.loc["efficiency", "value"] == pytest.approx(1.0, rel=0.6)
    assert frame.loc["sampling_evaluations", "value"] == 500
    assert "one replicate" in frame.loc["real_ess", "note"]
    assert {"value", "low", "high", "floor", "definition", "direction", "group", "title"} <= set(frame.columns)


def test_a_foreign_tree_needs_only_positions() -> None:
    target = load_target("gaussian", dim=3)
    x = independent(target, "foreign", chains=4)
    names = ("chain", "draw", "dim")
    tree = xarray.DataTree.from_dict({"/posterior": xarray.Dataset({"x": (names, x)})})
    frame = metrics.evaluate(tree, target).set_index("metric")
    assert frame.loc["efficiency", "value"] > 0.2
    assert abs(frame.loc["log_density_gap", "value"]) < 0.5
    assert frame.loc["acceptance_rate", "value"] is None or np.isnan(frame.loc["acceptance_rate", "value"])
    with pytest.raises(ValueError, match="dim = 2"):
        metrics.evaluate(tree, load_target("gaussian", dim=2))
    with pytest.raises(ValueError, match="posterior/x"):
        metrics.evaluate(xarray.DataTree(), target)


def test_what_a_sampler_records_is_a_metric() -> None:
    target, per_transition = load_target("gaussian", dim=2), 18
    tempering = load_sampler("parallel_tempering")
    draws = run(
        target,
        tempering,
        {"num_integration_steps": 3, "replicas": 6},
        Plan(10, 200),
        chains=4,
        start="exact",
        names=("found",),
    )
    found = evaluate(target, [draws])
    rejected = np.mean([draws.extra_statistic_means[f"swap_rejection_{k}"] for k in range(1, 6)])
    assert found["swap_rejection"].value == pytest.approx(rejected)
    trips = 1000 * draws.extra_statistic_means["round_trips"] / per_transition
    assert found["replica_round_trips_per_1000"].value == pytest.approx(trips)
    assert "leapfrog_steps" not in found
