"""The sentences about samplers on images: each test changes metric values and expects the sentences to follow."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_images import TARGET, made_up_images

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import MetricValue, Results
from mcmc_bench.report.findings import learned
from mcmc_bench.report.selection import Selection


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return made_up_images(tmp_path / "images")


def said(results: Results) -> str:
    found = learned.read(Selection(results))
    assert found is not None
    return " ".join(part.striptags() for part in (*found.sentences, *found.findings))


def change(results: Results, identity: str, metric: str, value: float, low: float, high: float) -> None:
    found = next(cell for cell in results.cells if cell.id == identity).metric(metric)
    assert found is not None
    found.value, found.low, found.high = value, low, high


# ------------------------------------------------------------ in words


def test_the_opening_compares_the_schedule_with_itself(results: Results) -> None:
    text = said(results)
    assert (
        "With noise, 64 chains of walker end at 64.0 (62.7–64.0) distinct images, in 4.00 (3.92–4.08) of 4 classes."
        in text
    )
    assert "is 0.0703 (0.0689–0.0717); for as many real images it is 0.0625." in text
    assert "Without noise, the same schedule ends at 1.000 (0.980–1.020) image, in" in text


SENTENCES = {
    "worse": "Not as good as real images. Of 6 metrics of walker, 4 are worse than for as many real images "
    "(beyond the errors of both, at 95 % over all 6 metrics): Sliced Wasserstein-1 to held-out data 0.0703",
    "others": "judged in the same way: 4 of 6 for jumper, most clearly Sliced Wasserstein-1 to held-out data 0.1250 (0.1225–0.1275) (real: 0.0625); 3 of 6 for carrier, most clearly",
    "ascent": "Ascent from dispersed starts. At one noise level, climber ends at 48.0 (47.0–49.0) distinct images of 64 chains",
    "carried": "Carrier ends at 64.0 (62.7–64.0) distinct images from random starts, but at 1.000 (0.980–1.020) image when all chains start at one point. "
    "It adds no noise, so its ends differ only because its starts do (median distance of two ends: 5.50 (5.39–5.61); of two real images: 6).",
    "own": "From one point, walker still ends at 64.0 (62.7–64.0) distinct images: it adds noise on the way.",
    "largest": "start at σ = 8 end at 1.000 (0.980–1.020) image; chains that start at σ = 1 end at 16.0 (15.7–16.3) distinct images of 64 chains",
    "one level": "Distance to held-out images from one start: 0.250 (0.245–0.255) for jumper (dispersed starts: 0.1250 (0.1225–0.1275); as many real images: 0.0625).",
    "mixing": "of the 4 classes of little_faces, 2.50 (2.45–2.55) by jumper (worst R-hat 1.50 (1.47–1.53))",
    "dial": "falls from 0.500 (0.490–0.510) at τ = 0 and is least at τ = 1: 0.1000 (0.0980–0.1020).",
    "escaped": "No chain ended outside the range of the data in any of 14 cells.",
}


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_every_finding_holds_the_numbers_of_its_metrics(results: Results, sentence: str) -> None:
    assert sentence in said(results)


@pytest.mark.parametrize(
    ("identity", "metric", "value", "gone"),
    [
        ("ascent", "distinct_data", 1.0, "Ascent from dispersed starts"),
        ("flow", "distinct_data", 0.25, "the starts decide"),
        ("flow1", "pair_distance", 0.5, "adds no noise"),
        ("noisy1", "distinct_data", 0.25, "adds noise on the way"),
        ("narrow", "distinct_data", 0.015625, "Ascent that starts at less noise"),
        ("single1", "data_sliced_wasserstein", 0.125, "does not mix"),
        ("with", "data_sliced_wasserstein", 0.0625, "Wasserstein-1 to held-out data 0.0"),
        ("mixing", "escaped_share", 0.5, "No chain ended outside"),
        ("single", "data_sliced_wasserstein", 0.0625, "most clearly Sliced Wasserstein-1"),
    ],
)
def test_a_finding_goes_with_its_evidence(
    results: Results, identity: str, metric: str, value: float, gone: str
) -> None:
    assert gone in said(results)
    change(results, identity, metric, value, value, value)
    assert gone not in said(results)


def test_where_nothing_is_worse_it_is_said_that_nothing_can_be_told(results: Results) -> None:
    cell = next(cell for cell in results.cells if cell.id == "with")
    for found in cell.metric_values:
        found.value = found.low = found.high = found.floor
    assert "Of 6 metrics of walker, none is worse than for as many real images (beyond" in said(results)


def distance_of(results: Results, identity: str) -> MetricValue:
    found = next(cell for cell in results.cells if cell.id == identity).metric("data_sliced_wasserstein")
    assert found is not None
    return found


WORSE = "Sliced Wasserstein-1 to held-out data 0.06"


@pytest.mark.parametrize(
    ("errors", "floor_error", "beyond"),
    [
        (8.0, 0.0, True),
        (3.5, 0.0, False),  # 2.78 would be enough for one figure, 4.85 is for the worst of six
        (8.0, 0.001, False),  # a floor that is not exact: 2.4 errors of both, 2.65 is enough
    ],
)
def test_a_figure_is_beyond_real_ones_only_by_more_than_both_errors(
    results: Results, errors: float, floor_error: float, beyond: bool
) -> None:
    """0.0025 above the floor, by so many standard errors of five replicates: Student's 97.5 % quantile is 2.776."""
    half = 2.776 * 0.0025 / errors
    change(results, "with", "data_sliced_wasserstein", 0.065, 0.065 - half, 0.065 + half)
    distance_of(results, "with").floor_error = floor_error
    finding = said(results).split("Not as good as real images.")[1].split("The other samplers", maxsplit=1)[0]
    assert (WORSE in finding) == beyond


def test_floors_without_an_error_are_not_judged_by(results: Results) -> None:
    distance_of(results, "with").floor_error = None
    assert "Of 5 metrics of walker, 3 are worse" in said(results)


def test_better_than_real_is_not_worse(results: Results) -> None:
    change(results, "with", "data_sliced_wasserstein", 0.03, 0.029, 0.031)
    assert "Of 6 metrics of walker, 3 are worse" in said(results)


def dial(results: Results, *values: float) -> str:
    """The sentences about the dial with such distances, with intervals of 0.01 to both sides, at τ = 0, 0.5 and 1."""
    for tau, value in zip((0, 0.5, 1), values, strict=True):
        change(results, f"dial{tau:g}", "data_sliced_wasserstein", value, value - 0.01, value + 0.01)
    return said(results).split("The noise dial.")[1].split("No chain", maxsplit=1)[0]


def test_a_dial_that_is_best_without_noise_does_not_fall(results: Results) -> None:
    text = dial(results, 0.1, 0.2, 0.3)
    assert "images is least at τ = 0: 0.100 (0.090–0.110); at τ = 1 it is 0.300 (0.290–0.310)." in text
    assert "falls" not in text
    assert "overlap" not in text


def test_a_dial_names_the_neighbours_whose_intervals_overlap(results: Results) -> None:
    assert "least at τ = 1: 0.100 (0.090–0.110). Its interval overlaps that at τ = 0.5." in dial(
        results, 0.5, 0.115, 0.1
    )
    text = dial(results, 0.11, 0.1, 0.115)
    assert (
        "least at τ = 0.5: 0.100 (0.090–0.110); at τ = 1 it is 0.115 (0.105–0.125). Its interval overlaps those at τ = 0 and 1."
        in text
    )
    assert "overlap" not in dial(results, 0.5, 0.2, 0.1)


def test_cells_without_a_value_are_not_counted_as_staying(results: Results) -> None:
    cells = {cell.id: cell for cell in results.cells}
    found = cells["mixing"].metric("escaped_share")
    assert found is not None
    found.value, found.note = None, "3 of 320 chains became non-finite"
    assert (
        "No chain ended outside the range of the data in any of 13 cells. Not known for 1 further cell: jumper on "
        "little_faces (3 of 320 chains became non-finite)." in said(results)
    )
    cells["single"].outcome, cells["single"].metric_values = Outcome.TIMED_OUT, []
    assert "of 12 cells. Not known for 2 further cells: jumper on little_faces (timed out) and jumper" in said(results)
    cells["flow1"].stopped_chains = 2
    assert "of 11 cells. Not known for 3 further cells: carrier on little_faces (2 stopped chains)" in said(results)
    change(results, "noisy1", "escaped_share", 0.5, 0.4, 0.6)
    assert (
        "Chains ended outside the range of the data in 1 of 11 cells: 50 % (40–60 %) for walker. Not known for 3"
        in (said(results).replace("\u202f", " "))
    )


def memorised(results: Results, distance: float) -> str:
    """With the same sampler on a target that only memorises, with copies at such a distance."""
    facts = results.targets[TARGET]
    results.targets[TARGET] = replace(
        facts, counterpart="remembered_faces", parameters={"sigma": 0.5, "weights": "mine"}
    )
    for sigma in (0.25, 0.5):
        label = f"remembered_faces(sigma={sigma})"
        results.targets[label] = replace(facts, name="remembered_faces", key=f"m{sigma}", parameters={"sigma": sigma})
        cell = copy.deepcopy(next(cell for cell in results.cells if cell.id == "with"))
        cell.id, cell.target, cell.experiment = f"memory{sigma}", label, "memory"
        results.cells.append(cell)
        change(results, cell.id, "nearest_training", distance, distance, distance)
    return said(results)


def test_what_only_memorises_gives_copies(results: Results) -> None:
    assert "training" not in said(results)
    text = memorised(results, 0.0)
    assert (
        "Memorising gives copies. On remembered_faces(sigma=0.5), the density of the training images with noise, walker ends "
        "at 64.0 (62.7–64.0) distinct images, at a median distance of 0 to the nearest training image: they are copies. "
        "On little_faces this distance is 2.00 (1.96–2.04); for held-out images it is 2. On remembered_faces(sigma=0.5) the "
        "sliced Wasserstein distance to held-out images is 0.0703 (0.0689–0.0717); for as many real images it is 0.0625."
        in text
    )
    assert "does not see copies" not in text, "the distance is above its floor"


def test_copies_that_the_distance_does_not_see(results: Results) -> None:
    change(results, "with", "data_sliced_wasserstein", 0.0625, 0.06, 0.065)
    assert "real images it is 0.0625. This distance does not see copies." in memorised(results, 0.0)


def test_what_is_far_from_the_training_is_not_called_a_copy(results: Results) -> None:
    text = memorised(results, 1.5)
    assert "Sampling the training set." in text
    assert "copies" not in text


def test_a_counterpart_that_is_the_source_does_not_memorise(results: Results) -> None:
    memorised(results, 0.0)
    results.targets[TARGET].counterpart_is_source = True
    assert "remembered_faces(sigma=0.5), the density" not in said(results)


def test_without_cells_without_noise_nothing_is_said(results: Results) -> None:
    results.cells = [c for c in results.cells if c.sampler_kind != "optimiser" and c.settings.get("temperature") != 0.0]
    assert learned.read(Selection(results)) is None


def test_every_number_links_to_its_cell(results: Results) -> None:
    found = learned.read(Selection(results))
    assert found is not None
    for text in (*found.sentences, *found.findings):
        links = re.findall(r'href="#cell-([^"]*)"', text)
        assert links or "No chain ended" in text
        assert set(links) <= {cell.id for cell in results.cells}
