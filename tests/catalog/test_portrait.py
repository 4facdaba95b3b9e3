"""What `show` tells and draws of a target, of any dimension and however little is known about it."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from mcmc_bench.catalog.files import load_target
from mcmc_bench.catalog.portrait import draw_target, facts, telling


def test_facts_are_the_targets_own():
    found = facts(load_target("gaussian", dim=10, condition=100))
    assert found["dimension"] == "10"
    assert found["mean"] == "0, 0, 0, 0, 0, 0, … (10 in all)"
    assert found["exact sampler"] == "yes"
    assert "modes" not in found  # one is not worth a line
    assert facts(load_target("song_ermon"))["modes"].startswith("2, weights 0.8, 0.2")
    unknown = dataclasses.replace(load_target("banana"), truth=None, draw_exact=None)
    assert facts(unknown)["truth"] == "unknown"
    assert facts(unknown)["exact sampler"] == "no"


@pytest.mark.parametrize(("name", "panels"), [("donut", 1), ("breast_cancer_logistic", 4), ("bimodal", 4)])
def test_a_picture_of_any_dimension(tmp_path, name, panels):
    file = tmp_path / "picture.png"
    draw_target(load_target(name), file)
    with Image.open(file) as picture:
        assert min(picture.size) > 500
        ink = np.asarray(picture.convert("L")) < 128
    # Something is drawn in each row of panels, and not everywhere.
    for band in np.array_split(ink, panels):
        assert 0.001 < band.mean() < 0.5


def test_a_density_without_draws_still_has_contours(tmp_path):
    target = dataclasses.replace(load_target("banana"), draw_exact=None, reference_draws=None)
    draw_target(target, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5000
    high = dataclasses.replace(load_target("gaussian", dim=3), draw_exact=None, reference_draws=None)
    draw_target(high, tmp_path / "slices.png")
    assert (tmp_path / "slices.png").stat().st_size > 5000


def test_a_picture_of_one_dimension(tmp_path):
    draw_target(load_target("many_well", dim=1), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_the_most_telling_coordinates_are_shown():
    generator = np.random.default_rng(0)
    points = generator.standard_normal((2000, 12))
    points[:, 7] = np.exp(points[:, 7])  # skewed
    points[:, 3] = points[:, 9] + 0.1 * points[:, 3]  # correlated
    assert set(telling(points, 3)) == {3, 7, 9}
    assert telling(points[:, :2]).tolist() == [0, 1]


def test_constrained_parameters_stand_in_the_facts():
    found = facts(load_target("eight_schools_noncentred"))["constrained parameters"]
    assert "μ 4.397 (sd 3.32), τ 3.598 (sd 3.22)" in found
    assert "reference run" in facts(load_target("phi4"))["truth"]
    assert "of a standard deviation" in facts(load_target("phi4"))["standard errors"]
