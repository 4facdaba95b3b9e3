"""The pictures of samplers on images: each test changes arrays or facts and expects the page to follow."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from made_up_images import CHAINS, TARGET, made_up_images
from PIL import Image

from mcmc_bench.core.results import Results
from mcmc_bench.report import write_report
from mcmc_bench.report.figures import images, pixels


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


def test_trajectories_that_begin_elsewhere_are_not_shown_together(results: Results) -> None:
    cells = [cell for cell in results.cells if cell.id in ("with", "without", "flow")]
    assert images.share_a_start(results, cells) == cells
    file = results.folder / "draws" / "flow.npz"  # type: ignore[operator]
    with np.load(file) as stored:
        arrays = dict(stored)
    np.savez(file, **{**arrays, "snapshots": arrays["snapshots"] + 1.0})
    assert [cell.id for cell in images.share_a_start(results, cells)] == ["without", "with"]


def test_the_contrast_of_a_snapshot_is_that_of_the_data(results: Results) -> None:
    cell = next(cell for cell in results.cells if cell.id == "with")
    chart, arrays = images.snapshots(results, cell, "walker"), results.draws(cell)
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


def test_the_page_holds_grids_snapshots_table_and_dial(html: str, page: Path) -> None:
    pictures = embedded(html)
    # The hero: real, without, with. Snapshots of three cells. Cards: one for each compared cell, and a real one in each panel.
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
    assert "or of as many real examples" in html
    assert "counts against it" in html
    assert len(html) < 600_000
    names = {file.name for file in (page.parent / "figures").iterdir()}
    assert {"images.png", "snapshots.png", "classes.png", "dial.png", "target_little-faces.png"} <= names


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
        "Not judged in any cell here, because no truth is known or there are too few chains: unbiased, all modes, weights, spread"
        in matrix
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
    assert "classes" not in html.split('<section id="verdict">')[1].split("</section>", maxsplit=1)[0]


def test_stored_results_with_examples_are_read_again(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path)
    assert Results.load(tmp_path).targets == results.targets
