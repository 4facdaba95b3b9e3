"""What `show` tells and draws of a target, of any dimension and however little is known about it."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from mcmc_bench.catalog import load_target
from mcmc_bench.show import draw_target, facts


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
    with pytest.raises(ValueError, match="no exact or reference draws and 3 dimensions: no picture"):
        draw_target(high, tmp_path / "none.png")
