"""Metrics of targets that were learned from examples: what a chain visits, what is diagnosed, and a real run that samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.examples import Classifier, Examples
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.experiments.run import run
from mcmc_bench.metrics import Reference, evaluate_cell, principal_components
from mcmc_bench.metrics.held_out import Judge
from mcmc_bench.metrics.reference import DIAGNOSED_COMPONENTS

from .conftest import make_draws


@pytest.fixture(scope="module")
def digits() -> Target:
    """Without the noise of the density, so that examples are their own ends."""
    target = load_target("digits", sigma=0.1)
    assert target.examples is not None
    return replace(target, examples=replace(target.examples, denoised=lambda x: x))


def values_of(target: Target, position: np.ndarray, *groups: str) -> dict[str, MetricValue]:
    values, _ = evaluate_cell(
        [make_draws(target, position)] * 2, target, Reference.of(target), budget=1000, warmup_share=0.0, groups=groups
    )
    return {metric_value.metric: metric_value for metric_value in values}


def examples_of(target: Target, classes: tuple[int, ...], chains: int, draws: int) -> np.ndarray:
    """Held-out examples of some classes, (chain, draw, dim)."""
    assert target.examples is not None
    among = target.examples.held_out[np.isin(target.examples.held_out_class, classes)]
    picked = stream("tests", "examples", classes, chains, draws).integers(len(among), size=(chains, draws))
    return among[picked]


def test_classes_that_a_chain_visits(digits: Target) -> None:
    """Two classes for each chain, ten over all: the classifier errs on 1 % of 30 draws, so a little more than two."""
    position = np.concatenate([examples_of(digits, (k, k + 5), 2, 30) for k in range(5)])
    metric_value = values_of(digits, position, "examples")["classes_per_chain"]
    assert metric_value.value is not None
    assert 2.0 <= metric_value.value < 2.6
    # Of 30 independent examples: Σ 1 − (1 − p)³⁰ with ten nearly equal shares.
    assert metric_value.floor == pytest.approx(10 * (1 - 0.9**30), abs=0.1)


def test_one_draw_visits_nothing(digits: Target) -> None:
    metric_value = values_of(digits, examples_of(digits, (0, 1), 8, 1), "examples")["classes_per_chain"]
    assert metric_value.value is None
    assert metric_value.note == "a chain has one draw"


def test_shares_of_classes_have_intervals(digits: Target) -> None:
    draws = [make_draws(digits, examples_of(digits, classes, 32, 1)) for classes in ((3,), (3, 4), (3, 4))]
    _, curves = evaluate_cell(draws, digits, Reference.of(digits), budget=10, warmup_share=0.0, groups=["examples"])
    found = curves["classes"]
    assert sum(found["value"]) == pytest.approx(1.0)
    assert found["value"][3] > 0.5
    assert found["low"][3] < found["value"][3] < found["high"][3]
    assert sum(found["held_out"]) == pytest.approx(1.0)


def test_the_error_of_a_floor_holds_that_of_the_examples_it_comes_from() -> None:
    """Floors of different real examples scatter as they say: over 40 halves of the data, z has a mean square near 1.

    With 40 values the mean square is within 0.5 and 1.6 in 99 % of the cases; without the share of the examples
    themselves, n/(N − n) = 0.25 beside 1/40, it would be 11.
    """
    generator = stream("tests", "floors")
    points = generator.normal(size=(100, 4))
    floors = []
    for _ in range(40):
        real = generator.normal(size=(100, 4))
        judge = Judge(Examples(held_out=points, held_out_class=None, denoised=lambda x: x, training=real))
        floors.append(judge.floor(lambda data: float(np.median(cdist(data.x, points).min(axis=1))), 20))
    errors = [floor.error for floor in floors]
    assert all(error is not None for error in errors)
    spread = np.var([floor.value for floor in floors], ddof=1)
    assert 0.5 < spread / np.mean(np.square(np.array(errors, dtype=float))) < 1.6


def test_a_floor_of_all_examples_has_no_known_error(digits: Target) -> None:
    assert digits.examples is not None
    real = digits.examples.real[:30]
    judge = Judge(replace(digits.examples, training=real, training_class=digits.examples.training_class[:30]))  # type: ignore[index]
    assert judge.floor(lambda data: float(data.x.mean()), 30).error is None
    assert (judge.floor(lambda data: float(data.x.mean()), 20).error or 0.0) > 0.0


def test_values_hold_the_error_of_their_floor(digits: Target) -> None:
    values = values_of(digits, examples_of(digits, (0, 1), 8, 1), "examples")
    for metric in ("pair_distance", "data_precision", "nearest_training"):
        assert (values[metric].floor_error or 0.0) > 0.0


@pytest.mark.parametrize(
    ("chains", "metric", "why"),
    [
        (1, "pair_distance", "one chain, which makes no pair"),
        (1, "data_discrepancy", "one chain, which makes no pair"),
        (1, "data_recall", "1 of the 6 chains that neighbours need"),
        (5, "data_precision", "5 of the 6 chains that neighbours need"),
    ],
)
def test_too_few_chains_are_no_failure(digits: Target, chains: int, metric: str, why: str) -> None:
    values = values_of(digits, examples_of(digits, (0, 1), chains, 1), "examples")
    assert values[metric].value is None
    assert values[metric].note == why
    assert values["data_sliced_wasserstein"].value is not None
    assert values_of(digits, examples_of(digits, (0, 1), 6, 1), "examples")[metric].value is not None


def test_held_out_examples_that_are_mostly_the_same(digits: Target) -> None:
    """No distance between them says when two are one, nor how wide a kernel is; the rest is given."""
    assert digits.examples is not None
    held_out = np.array(digits.examples.held_out)
    held_out[: int(0.9 * len(held_out))] = held_out[0]
    target = replace(digits, examples=replace(digits.examples, held_out=held_out))
    values = values_of(target, examples_of(digits, (0, 1), 8, 1), "examples")
    for metric in ("distinct_data", "data_discrepancy", "vendi_score"):
        assert values[metric].value is None
        assert (
            "of held-out examples or more are the same" in values[metric].note or "have a copy" in values[metric].note
        )
    for metric in ("pair_distance", "data_sliced_wasserstein", "nearest_training", "class_entropy"):
        assert values[metric].value is not None


def test_what_tells_classes_says_of_what_its_accuracy_is_the_share(digits: Target) -> None:
    assert digits.examples is not None
    assert digits.examples.classifier_description.endswith("its accuracy is that on the 360 held-out ones")
    own = replace(
        digits.examples, classifier=Classifier(lambda x: np.zeros(len(x), dtype=np.int64), 0.5, "half a guess")
    )
    assert own.classifier_description == "half a guess"
    assert replace(digits.examples, held_out_class=None).classifier_description == ""


def test_a_class_with_just_a_tenth_of_its_share_is_found(digits: Target) -> None:
    """Of 100 ends one is in the second class: 0.01 of an equal share of 0.1. As for modes, that is found."""
    assert digits.examples is not None
    kinds = np.zeros(100, dtype=np.int64)
    kinds[0] = 1
    classifier = Classifier(lambda x: kinds, 1.0, "made up")
    target = replace(digits, examples=replace(digits.examples, classifier=classifier))
    values = values_of(target, examples_of(digits, (0,), 100, 1), "examples")
    assert values["classes_found"].value == pytest.approx(0.2)


def test_principal_components_are_those_of_the_covariance() -> None:
    points = stream("tests", "components").normal(size=(400, 5)) * [1.0, 5.0, 0.5, 3.0, 0.1]
    components = principal_components(points, 2)
    values, vectors = np.linalg.eigh(np.cov(points.T))
    assert np.abs(components.T @ vectors[:, [-1, -2]]) == pytest.approx(np.eye(2), abs=1e-9)
    assert components[[1, 3], [0, 1]] == pytest.approx(1.0, abs=0.1)
    assert values[-1] > values[-2]


def test_chains_that_stay_in_a_class_of_their_own_are_seen_in_components_and_not_in_the_corner_pixel(
    digits: Target,
) -> None:
    """Half of the chains hold zeros, half ones. The first pixel is black in all of them, and independent noise hides it."""
    noise = 0.1 * stream("tests", "stuck").normal(size=(8, 200, 64))
    own_class = np.concatenate([examples_of(digits, (0,), 4, 200), examples_of(digits, (1,), 4, 200)]) + noise
    stuck = values_of(digits, own_class, "convergence")
    mixed = values_of(digits, examples_of(digits, tuple(range(10)), 8, 200) + noise, "convergence")
    assert stuck["r_hat_max"].value is not None
    assert stuck["r_hat_max"].value > 1.5
    assert mixed["r_hat_max"].value is not None
    assert mixed["r_hat_max"].value < 1.05
    assert mixed["within_chain_variance"].value == pytest.approx(1.0, abs=0.15)
    assert Reference.of(digits).components is not None
    assert Reference.of(digits).components.shape == (64, DIAGNOSED_COMPONENTS)  # type: ignore[union-attr]


def test_a_collapse_is_seen_without_a_truth(digits: Target) -> None:
    assert digits.truth is None
    one = np.broadcast_to(digits.examples.held_out[0], (8, 100, 64)).copy()  # type: ignore[union-attr]
    values = values_of(digits, one + 1e-6 * stream("tests", "collapse").normal(size=one.shape), "convergence")
    assert values["ess_bulk_min"].value == 0.0
    assert "collapsed" in values["ess_bulk_min"].note


SUITE = """
[suite]
title = "Thresholds"
budget = 401
warmup_share = 0.0
chains = 128
replicates = 5
max_draws = 4
time_limit = 600
metrics = ["examples"]

[[experiment]]
name = "main"
start = "dispersed"
targets = [{ name = "digits", sigma = 0.1 }]
samplers = [
  { name = "annealed_langevin", largest_noise = 8.0, smallest_noise = 0.1, levels = 20, steps = 20, step_size = 0.001, temperature = 0.0 },
  { name = "annealed_langevin", largest_noise = 8.0, smallest_noise = 0.1, levels = 20, steps = 20, step_size = 0.001 },
]
"""
#: What samples and what has collapsed, of 128 chains: metric, least, most. Intervals have to lie between.
SAMPLES = (
    ("vendi_score", 80.0, np.inf),
    ("class_entropy", 2.1, np.inf),
    ("data_sliced_wasserstein", 0.0, 0.12),
    ("pair_distance", 5.5, 6.4),
    ("escaped_share", 0.0, 0.0),
)
COLLAPSED = (
    ("vendi_score", 0.0, 1.5),
    ("class_entropy", 0.0, 0.2),
    ("data_sliced_wasserstein", 0.5, np.inf),
    ("pair_distance", 0.0, 0.1),
    ("distinct_data", 0.0, 1.5 / 128),
)


@pytest.mark.slow
def test_noise_makes_it_sampling(tmp_path) -> None:
    """Annealed Langevin gives images that are diverse and near to held-out ones; the same schedule without noise gives one.

    95 % intervals of five replicates lie within the thresholds. The nearest, of the sliced distance, is 0.03 away: more
    than 10 standard errors, so that the rate of false failures is far below 1e-6. Each cell is the mutant of the other.
    """
    file = tmp_path / "thresholds.toml"
    file.write_text(SUITE)
    results = run(file, output=tmp_path / "results", executor="inline")
    without, with_noise = results.cells
    for cell, thresholds in ((with_noise, SAMPLES), (without, COLLAPSED)):
        assert cell.outcome == "finished", cell.message
        for metric, least, most in thresholds:
            metric_value = cell.metric(metric)
            assert metric_value is not None
            assert metric_value.low is not None
            assert metric_value.high is not None
            assert least <= metric_value.low <= metric_value.high <= most, f"{cell.settings}: {metric_value}"
    for metric, least, most in SAMPLES[:4]:
        value = without.value(metric)
        assert value is not None
        assert not least <= value <= most, f"{metric} does not tell a collapse"
