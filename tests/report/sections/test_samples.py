"""What is said and shown of samplers on images: each test changes rows or arrays and expects the page to follow."""

from __future__ import annotations

import base64
import copy
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up_images import CHAINS, TARGET, made_up_images
from PIL import Image

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import MetricValue, Results
from mcmc_bench.report import write_report
from mcmc_bench.report.figures import images, pixels
from mcmc_bench.report.sections import samples
from mcmc_bench.report.selection import Choice


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return made_up_images(tmp_path / "images")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    return write_report(made_up_images(folder), folder)


@pytest.fixture(scope="module")
def html(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def said(results: Results) -> str:
    found = samples.read(Choice(results))
    assert found is not None
    return " ".join(part.striptags() for part in (*found.sentences, *found.findings))


def change(results: Results, identity: str, metric: str, value: float, low: float, high: float) -> None:
    row = next(cell for cell in results.cells if cell.id == identity).metric(metric)
    assert row is not None
    row.value, row.low, row.high = value, low, high


# ------------------------------------------------------------ in words


def test_the_opening_compares_the_schedule_with_itself(results: Results) -> None:
    text = said(results)
    assert (
        "With its noise, walker gives 64.0 (62.7–64.0) distinct images of 64 chains, in 4.00 (3.92–4.08) of 4 classes;"
        in text
    )
    assert "is 0.0703 (0.0689–0.0717), where as many real ones are at 0.0625." in text
    assert "Without it, the same schedule gives 1.000 (0.980–1.020) image of 64 chains" in text


SENTENCES = {
    "worse": "Not as good as real images. Of 6 figures of walker, 4 are beyond what as many real ones have "
    "(judged by the errors of both, at 95 % over all 6 figures): sliced Wasserstein-1 0.0703",
    "others": "judged likewise: 4 of 6 for jumper, farthest sliced Wasserstein-1 0.1250 (0.1225–0.1275) (real: 0.0625); 3 of 6 for carrier, farthest",
    "ascent": "From starts that are spread out climber at one noise level ends at 48.0 (47.0–49.0) distinct images of 64 chains",
    "carried": "Carrier gives 64.0 (62.7–64.0) distinct images from random starts, and 1.000 (0.980–1.020) image when all chains begin at one point: "
    "it adds no noise on the way, and what tells its ends apart is its starts (median distance of two ends 5.50 (5.39–5.61), where real ones are at 6)",
    "own": "Begun at one point, walker still gives 64.0 (62.7–64.0) distinct images: noise is added on the way.",
    "largest": "end at 1.000 (0.980–1.020) image from σ = 8; from σ = 1 at 16.0 (15.7–16.3) distinct images of 64 chains",
    "one level": "Distance from one start: 0.250 (0.245–0.255) for jumper (0.1250 (0.1225–0.1275) from starts that are spread out; as many real ones: 0.0625).",
    "mixing": "of the 4 classes of little_faces 2.50 (2.45–2.55) by jumper, worst R-hat 1.50 (1.47–1.53)",
    "dial": "falls from 0.500 (0.490–0.510) at τ = 0 and is least at τ = 1: 0.1000 (0.0980–0.1020).",
    "escaped": "No chain ended outside the range of the data in any of 14 cells.",
}  # fmt: skip


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_every_finding_holds_the_numbers_of_its_rows(results: Results, sentence: str) -> None:
    assert sentence in said(results)


@pytest.mark.parametrize(
    ("identity", "metric", "value", "gone"),
    [
        ("ascent", "distinct_data", 1.0, "From starts that are spread out"),
        ("flow", "distinct_data", 0.25, "It is gradient ascent that collapses"),
        ("flow1", "pair_distance", 0.5, "adds no noise"),
        ("noisy1", "distinct_data", 0.25, "noise is added on the way"),
        ("narrow", "distinct_data", 0.015625, "depends on the largest noise"),
        ("single1", "data_sliced_wasserstein", 0.125, "does not mix"),
        ("with", "data_sliced_wasserstein", 0.0625, "sliced Wasserstein-1 0.0"),
        ("mixing", "escaped_share", 0.5, "No chain ended outside"),
        ("single", "data_sliced_wasserstein", 0.0625, "farthest sliced Wasserstein-1"),
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
    for row in cell.metric_values:
        row.value = row.low = row.high = row.floor
    assert "None of 6 figures of walker can be told from that of as many real ones (judged by" in said(results)


def distance_of(results: Results, identity: str) -> MetricValue:
    row = next(cell for cell in results.cells if cell.id == identity).metric("data_sliced_wasserstein")
    assert row is not None
    return row


WORSE = "sliced Wasserstein-1 0.06"


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
    assert "Of 5 figures of walker, 3 are beyond" in said(results)


def test_better_than_real_is_not_worse(results: Results) -> None:
    change(results, "with", "data_sliced_wasserstein", 0.03, 0.029, 0.031)
    assert "Of 6 figures of walker, 3 are beyond" in said(results)


def dial(results: Results, *values: float) -> str:
    """What is said of the dial with such distances, with intervals of 0.01 to both sides, at τ = 0, 0.5 and 1."""
    for tau, value in zip((0, 0.5, 1), values, strict=True):
        change(results, f"dial{tau:g}", "data_sliced_wasserstein", value, value - 0.01, value + 0.01)
    return said(results).split("The noise dial.")[1].split("No chain", maxsplit=1)[0]


def test_a_dial_that_is_best_without_noise_does_not_fall(results: Results) -> None:
    text = dial(results, 0.1, 0.2, 0.3)
    assert "images is least at τ = 0: 0.100 (0.090–0.110); at τ = 1 it is 0.300 (0.290–0.310)." in text
    assert "falls" not in text
    assert "overlap" not in text


def test_a_dial_names_the_neighbours_whose_intervals_overlap(results: Results) -> None:
    assert "least at τ = 1: 0.100 (0.090–0.110). The interval at τ = 0.5 overlaps with" in dial(
        results, 0.5, 0.115, 0.1
    )
    text = dial(results, 0.11, 0.1, 0.115)
    assert (
        "least at τ = 0.5: 0.100 (0.090–0.110); at τ = 1 it is 0.115 (0.105–0.125). Intervals at τ = 0 and 1 overlap"
        in text
    )
    assert "overlap" not in dial(results, 0.5, 0.2, 0.1)


def test_cells_without_a_value_are_not_counted_as_staying(results: Results) -> None:
    cells = {cell.id: cell for cell in results.cells}
    row = cells["mixing"].metric("escaped_share")
    assert row is not None
    row.value, row.note = None, "3 of 320 chains left"
    assert (
        "No chain ended outside the range of the data in any of 13 cells. Not known of 1 further cell: jumper on "
        "little_faces (3 of 320 chains left)." in said(results)
    )
    cells["single"].outcome, cells["single"].metric_values = Outcome.TIMED_OUT, []
    assert "of 12 cells. Not known of 2 further cells: jumper on little_faces (timed out) and jumper" in said(results)
    cells["flow1"].stopped_chains = 2
    assert "of 11 cells. Not known of 3 further cells: carrier on little_faces (2 stopped chains)" in said(results)
    change(results, "noisy1", "escaped_share", 0.5, 0.4, 0.6)
    assert (
        "Chains that ended outside the range of the data in 1 of 11 cells: 50 % (40–60 %) of walker. Not known of 3"
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
    assert "memoris" not in said(results)
    text = memorised(results, 0.0)
    assert (
        "Who only memorises gives copies. On remembered_faces(sigma=0.5), the training images with noise and nothing else, walker "
        "gives 64.0 (62.7–64.0) distinct images at a median distance of 0 to the nearest training image: they are copies; "
        "on little_faces it gives images at 2.00 (1.96–2.04), held-out ones at 2." in text
    )
    assert "does not see copies" not in text, "the distance is above its floor"


def test_copies_that_the_distance_does_not_see(results: Results) -> None:
    change(results, "with", "data_sliced_wasserstein", 0.0625, 0.06, 0.065)
    assert "where as many real ones are at 0.0625: it does not see copies." in memorised(results, 0.0)


def test_what_is_far_from_the_training_is_not_called_a_copy(results: Results) -> None:
    text = memorised(results, 1.5)
    assert "What only memorises." in text
    assert "copies" not in text


def test_a_counterpart_that_is_the_source_does_not_memorise(results: Results) -> None:
    memorised(results, 0.0)
    results.targets[TARGET].counterpart_is_source = True
    assert "memorises" not in said(results)


def test_without_cells_without_noise_nothing_is_said(results: Results) -> None:
    results.cells = [c for c in results.cells if c.sampler_kind != "optimiser" and c.settings.get("temperature") != 0.0]
    assert samples.read(Choice(results)) is None


def test_every_number_links_to_its_cell(results: Results) -> None:
    found = samples.read(Choice(results))
    assert found is not None
    for text in (*found.sentences, *found.findings):
        links = re.findall(r'href="#cell-([^"]*)"', text)
        assert links or "No chain ended" in text
        assert set(links) <= {cell.id for cell in results.cells}


# ------------------------------------------------------------ in pictures


def test_a_grid_shows_the_pixels_and_nothing_else(results: Results) -> None:
    chart = images.grid(results, TARGET, next(cell for cell in results.cells if cell.id == "with"))
    assert chart is not None
    assert chart.title == "walker"
    without = images.grid(results, TARGET, next(cell for cell in results.cells if cell.id == "without"))
    assert without is not None
    assert without.title == "walker without noise"
    assert chart.pixels is not None
    assert chart.pixels.shape == (6 * 4 + 5, 6 * 4 + 5)
    data = results.draws(next(cell for cell in results.cells if cell.id == "with"))
    assert data is not None
    # Of the seventh image, the first of the second row.
    assert chart.pixels[5:9, :4] == pytest.approx((data["data"][6].reshape(4, 4) + 1.0) / 2.0)
    assert np.isnan(chart.pixels[4]).all()


def test_png_keeps_shades_and_gaps() -> None:
    values = np.array([[0.0, 1.0, np.nan], [0.5, 0.25, np.nan]])
    image = np.asarray(Image.open(io.BytesIO(pixels.png(values))).convert("LA")).astype(float) / 255.0
    assert image[:, :2, 0] == pytest.approx(values[:, :2], abs=0.5 / (pixels.SHADES - 1) + 1 / 255)
    assert (image[:, :, 1] == np.array([[1, 1, 0], [1, 1, 0]])).all()


def test_films_that_begin_elsewhere_are_not_shown_together(results: Results) -> None:
    cells = [cell for cell in results.cells if cell.id in ("with", "without", "flow")]
    assert images.share_a_start(results, cells) == cells
    file = results.folder / "draws" / "flow.npz"  # type: ignore[operator]
    with np.load(file) as stored:
        arrays = dict(stored)
    np.savez(file, **{**arrays, "snapshots": arrays["snapshots"] + 1.0})
    assert [cell.id for cell in images.share_a_start(results, cells)] == ["without", "with"]


def test_the_contrast_of_a_film_is_that_of_the_data(results: Results) -> None:
    cell = next(cell for cell in results.cells if cell.id == "with")
    chart, arrays = images.film(results, cell, "walker"), results.draws(cell)
    assert chart is not None
    assert arrays is not None
    assert chart.pixels is not None
    first = arrays["snapshots"][0, 0].reshape(4, 4) * 0.5 / np.hypot(0.5, 8.0)
    assert chart.pixels[:4, :4] == pytest.approx((first + 1.0) / 2.0)
    last = np.clip((arrays["snapshots"][0, -1].reshape(4, 4) + 1.0) / 2.0, 0.0, 1.0)
    assert chart.pixels[:4, -4:] == pytest.approx(last)
    assert chart.x_tick_labels is not None
    assert list(chart.x_tick_labels) == ["σ 8", "4", "2", "1", "0.5", "end"]


def embedded(html: str) -> list[np.ndarray]:
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))
        for text in re.findall(r'<image [^>]*href="data:image/png;base64,([^"]*)"', html)
    ]


def test_the_page_holds_grids_films_table_and_dial(html: str, page: Path) -> None:
    pictures = embedded(html)
    # The hero: real, without, with. A film of three cells. Cards: one for each compared cell, and a real one in each panel.
    assert len(pictures) == 3 + 4 + 11 + 3
    assert all(np.ptp(picture) > 100 for picture in pictures)
    assert html.count("image-rendering:pixelated") == len(pictures)
    section = html.split('<section id="samples">')[1].split("</section>", maxsplit=1)[0]
    assert section.count("<tr>") == 1 + 11
    for text in ("Vendi score", "0.0703 (0.0689–0.0717)<small>fl. 0.0625", "floor 0.0625"):
        assert text in section
    dial = html.split('<section id="dial">')[1].split("</section>", maxsplit=1)[0]
    assert dial.count("<figure>") == 4
    assert "right for 81.2&nbsp;%: an oracle that was asked." in html
    assert "same statistic of as many real examples" in section
    assert "and in comparisons with examples that of as many real ones" in html
    assert "counts against it" in html
    assert len(html) < 600_000
    names = {file.name for file in (page.parent / "figures").iterdir()}
    assert {"images.png", "films.png", "classes.png", "dial.png", "target_little-faces.png"} <= names


def test_the_figure_of_the_grids_shows_their_pixels(page: Path) -> None:
    with Image.open(page.parent / "figures" / "images.png") as image:
        shown = np.asarray(image.convert("L"))
    assert len(np.unique(shown)) > 20
    assert shown.shape[1] > 3 * 200


def test_verdicts_that_are_never_judged_are_no_wall_of_question_marks(html: str) -> None:
    matrix = html.split('<section id="matrix">')[1].split("</section>", maxsplit=1)[0]
    assert 'class="sign fail"><b aria-hidden="true">✗</b> Exact kernel' in matrix
    cells = matrix.split('<table class="matrix">', 1)[1].split("</table>", 1)[0]
    assert "Unbiased" not in cells
    assert (
        "Not judged in any cell here, for want of a truth or of chains: unbiased, all modes, weights, spread" in matrix
    )


def test_few_draws_make_no_traces_and_no_warning(
    results: Results, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    results.cells = [cell for cell in results.cells if cell.experiment == "from_noise"]
    write_report(results, tmp_path)
    assert not list((tmp_path / "figures").glob("traces_*"))
    assert [str(warning.message) for warning in recwarn if "chain dimension" in str(warning.message)] == []


def test_points_without_a_shape_are_drawn_as_points(results: Results, tmp_path: Path) -> None:
    facts = results.targets[TARGET].examples
    assert facts is not None
    facts.shape = None
    html = write_report(results, tmp_path).read_text(encoding="utf-8")
    assert embedded(html) == []
    assert f"distinct points of {CHAINS} chains" in re.sub(r"<[^>]*>", "", html)
    assert "held-out examples" in html


def test_without_classes_there_is_no_word_of_them(results: Results, tmp_path: Path) -> None:
    facts = results.targets[TARGET].examples
    assert facts is not None
    facts.classes, facts.classifier_accuracy = 0, None
    for cell in results.cells:
        cell.metric_values = [row for row in cell.metric_values if "class" not in row.metric]
        cell.curves = {}
    html = write_report(results, tmp_path).read_text(encoding="utf-8")
    assert "Classes are a classifier" not in html
    assert "classes" not in said(results)


def test_stored_results_with_examples_are_read_again(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path)
    assert Results.load(tmp_path).targets == results.targets
