"""Occupancy, weights, spread within modes, movement and end points."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mcmc_bench import metrics
from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.metrics import Reference
from mcmc_bench.metrics.distances import clusters
from mcmc_bench.metrics.groups.modes import entropy, shares, transitions, weight_error

from .conftest import evaluate, independent, make_draws


def test_weights_against_known_answers(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    expected = {"one mode missed": 0.2, "reweighted": 0.3, "collapsed": 0.0}
    for fixture, error in expected.items():
        metric_value = evaluate(toy, spoiled[fixture], "modes")["mode_weight_error"]
        assert metric_value.value == pytest.approx(error, abs=0.01)
    metric_value = evaluate(toy, spoiled["independent"], "modes")["mode_weight_error"]
    assert metric_value.value < 3 * metric_value.floor
    assert evaluate(toy, spoiled["one mode missed"], "modes")["modes_found"].value == 0.5


def test_spread_against_known_answers(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    """The ratio for right draws has an sd of 1/√(dim · draws) = 0.4 %; asserted to 2 % (5 sd)."""
    expected = {"independent": 1.0, "one mode missed": 1.0, "reweighted": 1.0, "inflated": 1.2}
    for fixture, ratio in expected.items():
        metric_value = evaluate(toy, spoiled[fixture], "modes")["within_mode_variance_ratio"]
        assert metric_value.value == pytest.approx(ratio, rel=0.02), fixture
    assert evaluate(toy, spoiled["collapsed"], "modes")["within_mode_variance_ratio"].value < 1e-10


def test_a_radius_cuts_the_oracle_too(toy: Target) -> None:
    """With a radius of 3σ the variance within is 0.949 of the true one; over the oracle's own it is 1."""
    assert toy.modes is not None
    tight = dataclasses.replace(toy, modes=dataclasses.replace(toy.modes, radius=3.0), name="tight")
    assert Reference.of(tight).scatter / 2 == pytest.approx([0.949, 0.949], abs=0.02)
    draws = [make_draws(toy, independent(toy, "radius", r)) for r in range(4)]
    metric_value = evaluate(tight, draws, "modes")["within_mode_variance_ratio"]
    assert metric_value.value == pytest.approx(1.0, abs=0.03)


def test_a_target_without_modes_is_one_mode() -> None:
    target = dataclasses.replace(load_target("gaussian", dim=3), modes=None, name="without modes")
    draws = [make_draws(target, np.sqrt(1.2) * independent(target, "no modes", r)) for r in range(4)]
    found = evaluate(target, draws, "modes")
    assert found["within_mode_variance_ratio"].value == pytest.approx(1.2, rel=0.03)
    assert found["modes_found"].value is None


def test_entropy_of_uniform_noise_is_nearly_perfect() -> None:
    """Why entropy is shown only with the unassigned share: 0.97 for noise on 40 modes."""
    target = load_target("forty_modes")
    noise = [make_draws(target, stream("metrics tests", "noise", r).uniform(-40, 40, (16, 400, 2))) for r in range(4)]
    right = [make_draws(target, independent(target, "forty", r)) for r in range(4)]
    found, honest = evaluate(target, noise, "modes"), evaluate(target, right, "modes")
    assert found["occupancy_entropy"].value > 0.95
    assert found["modes_found"].value > 0.95
    assert found["unassigned_share"].value > 0.3
    assert honest["unassigned_share"].value < 0.01
    assert found["within_mode_variance_ratio"].value > 1.2


def test_shares_errors_and_entropy_by_hand() -> None:
    share = shares(np.array([0, 0, 0, 1, -1, -1]), 3)
    assert share == pytest.approx([0.75, 0.25, 0.0])
    assert weight_error(share, np.array([0.5, 0.25, 0.25])) == pytest.approx(0.25)
    assert weight_error(shares(np.array([-1, -1]), 3), np.full(3, 1 / 3)) == 1.0
    assert entropy(np.full(4, 0.25)) == pytest.approx(1.0)
    assert entropy(np.array([1.0, 0, 0, 0])) == 0.0


def test_transitions_by_hand() -> None:
    """Draws outside all modes are passed over: neither a change, nor a return."""
    mode = np.array([[0, 0, -1, 0, 1, 1, -1, 0], [-1, 2, 2, -1, -1, 2, 2, 2]])
    changes, returns = transitions(mode)
    assert changes == pytest.approx((2 + 0) / 2)
    assert returns == pytest.approx((1 + 0) / 2)


def test_copies_with_a_little_noise_are_one() -> None:
    target = load_target("gaussian", dim=2)
    one = stream("metrics tests", "copies").standard_normal(2)
    copies = one + 1e-3 * stream("metrics tests", "noise").standard_normal((64, 2))
    assert clusters(copies, 0.5 * Reference.of(target).nearest_distance(64)) == 1
    position = np.tile(copies[:, None], (1, 10, 1))
    found = evaluate(target, [make_draws(target, position)] * 2, "modes")
    assert found["distinct_end_points"].value == 1 / 64
    assert found["end_points"].value == 1
    draws = [make_draws(target, independent(target, "ends", r, chains=64, draws=10)) for r in range(2)]
    metric_value = evaluate(target, draws, "modes")["distinct_end_points"]
    assert metric_value.value > 0.8
    assert metric_value.value == pytest.approx(metric_value.floor, abs=0.15)


def test_ascent_ends_at_as_many_points_as_there_are_modes(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    assert evaluate(toy, spoiled["collapsed"], "modes")["end_points"].value == 2


def test_occupancy_curve(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    _, curves = metrics.evaluate_cell(
        spoiled["reweighted"], toy, Reference.of(toy), budget=400, warmup_share=0.0, groups=["modes"]
    )
    curve = curves["occupancy"]
    assert curve["weights"] == pytest.approx([0.8, 0.2])
    assert curve["value"] == pytest.approx([0.5, 0.5], abs=0.02)
    assert all(
        low <= value <= high for low, value, high in zip(curve["low"], curve["value"], curve["high"], strict=True)
    )
