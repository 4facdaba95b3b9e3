"""The target `fashion`: what is shipped, with its licence; single precision against double; no chain escapes."""

import numpy as np
import pytest

from mcmc_bench.catalog import CatalogError, load_sampler, load_target, training_set
from mcmc_bench.learning.density import learned
from mcmc_bench.sampling import Plan, run
from mcmc_bench.streams import stream


@pytest.fixture(scope="module")
def target():
    return load_target("fashion")


@pytest.fixture(scope="module")
def weights(root):
    return root / "targets" / "data" / "fashion.weights.npz"


def test_what_is_shipped_is_small_and_has_its_licence(root, weights):
    data = root / "targets" / "data"
    assert weights.stat().st_size <= 4_000_000
    assert (data / "fashion.npz").stat().st_size < 1_000_000
    assert "MIT License" in (data / "fashion.LICENSE.txt").read_text(encoding="utf-8")


def test_images_and_classes(target):
    examples = target.examples
    assert examples.held_out.shape == examples.further.shape == (400, 784)
    assert examples.training is None
    pixels = np.concatenate([examples.held_out, examples.further]) + examples.centre
    assert pixels.min() == pytest.approx(-1.0, abs=1e-6)
    assert pixels.max() == pytest.approx(1.0, abs=1e-6)
    assert len(np.unique(pixels.round(6), axis=0)) == 800, "both sets are different images"
    np.testing.assert_array_equal(np.bincount(examples.held_out_class), np.full(10, 40))
    assert len(examples.class_names) == examples.classes == 10


def test_stated_accuracy_is_that_of_the_classifier(target):
    """On 400 images of which it gets 89 % right, four standard deviations are 6.3 %: fails falsely once in 16,000.

    Power: images turned upside down are told no better than by chance.
    """
    examples = target.examples
    assert 0.85 < examples.classifier_accuracy < 0.95
    right = (examples.classify(examples.held_out) == examples.held_out_class).mean()
    assert right == pytest.approx(examples.classifier_accuracy, abs=0.063)
    pixels = (examples.held_out + examples.centre).reshape(-1, 28, 28)[:, ::-1].reshape(-1, 784)
    assert (examples.classify(pixels - examples.centre) == examples.held_out_class).mean() < 0.6


def test_network_says_what_made_it(weights):
    from mcmc_bench.learning.network import read

    network = read(weights)
    recipe = network.provenance["recipe"]
    assert network.provenance["made by"].startswith("mcmc-bench train fashion")
    assert network.provenance["steps_made"] == recipe["steps"]
    assert network.provenance["held_out_loss"] < 1.0
    assert network.arrays["directions"].shape == (784, recipe["directions"])
    np.testing.assert_allclose(
        network.arrays["directions"].T @ network.arrays["directions"], np.eye(recipe["directions"]), atol=1e-5
    )


@pytest.mark.parametrize("sigma", [0.15, 2.0, 40.0])
def test_single_precision_is_double_but_for_rounding(weights, sigma):
    """The same formulas in both: gradients differ by some roundings of 32 bits and not by more."""
    target = load_target("fashion", sigma=sigma)
    double = target.in_double()
    assert double.label == target.label
    noise = sigma * stream("single", sigma).standard_normal((60, 784))
    points = np.concatenate([target.examples.held_out[:60] + noise, target.starts("dispersed", stream("wide"), 60)])
    (value, gradient), (exact, slope) = (one.log_density_and_gradient(points) for one in (target, double))
    size = np.linalg.norm(slope, axis=1)
    assert (np.linalg.norm(gradient - slope, axis=1) < 1e-5 * size).all()
    # A Metropolis step sees differences of log p: they are right to a hundredth.
    assert np.abs(value - exact).max() < 1e-2
    assert np.abs(gradient - slope).max() > 0.0, "it was computed in double precision"


def test_blocks_are_as_large_as_the_target_likes(target):
    """128 chains in blocks of 64, each with its own stream: the second block is not the first one again."""
    ula = load_sampler("ula")
    draws = run(
        target, ula, {"step_size": 1e-4}, Plan(1, 1, keep=True), chains=128, start="one_point", names=("blocks",)
    )
    ends = draws.end
    assert len(np.unique(ends[:, 0])) == 128


@pytest.mark.slow
def test_no_chain_escapes():
    """2,000 Langevin steps at the lowest noise, from noise and from images: all stay where images are, nothing is clipped."""
    target = load_target("fashion")
    sigma = target.parameters.get("sigma", 0.15)
    farthest = np.linalg.norm(np.concatenate([target.examples.held_out, target.examples.further]), axis=1).max()
    ula = load_sampler("ula")
    for start in ("dispersed", "one_point"):
        draws = run(
            target, ula, {"step_size": 0.1 * sigma**2}, Plan(2000, 2000, keep=False), chains=64, start=start,
            names=("escape", start),
        )  # fmt: skip
        assert (draws.stopped_at < 0).all()
        assert np.linalg.norm(target.examples.denoised(draws.end), axis=1).max() < 1.5 * farthest


def test_density_confines_from_any_distance(target):
    """From far outside, in every direction, the score points inwards: x·∇log p < 0."""
    directions = stream("rays").standard_normal((32, 784))
    for distance in (50.0, 1e3, 1e5):
        points = distance * directions / np.linalg.norm(directions, axis=1)[:, None]
        gradient = target.log_density_and_gradient(points)[1]
        assert ((gradient * points).sum(axis=1) < 0.0).all()


def test_a_network_without_directions_has_its_gaussian_too(weights):
    """Above the highest noise the density is the data's Gaussian: starts of its own draws have its mean log density."""
    from mcmc_bench.learning.network import read

    network = read(weights)
    sigma = 2.0 * network.highest_noise
    gaussian = learned(network, sigma)
    draws = network.gaussian(stream("gaussian").standard_normal((2000, 784)), sigma)
    value = gaussian.log_density_and_gradient(draws)[0]
    # −½ χ² with 784 degrees of freedom: five standard errors fail falsely once in two millions. Power: the isotropic
    # Gaussian of the same spread lies 30 of them away.
    assert value.mean() == pytest.approx(-392.0, abs=5.0 * np.sqrt(392.0 / 2000))


def test_training_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(
        ValueError, match=r"no file .*train-images-idx3-ubyte.gz: install Debian's package dataset-fashion"
    ):
        training_set("fashion", folder=tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"not gzip")
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz cannot be read as a gzip file"):
        training_set("fashion", folder=tmp_path)


def test_a_folder_for_examples_that_come_with_the_target_is_refused(tmp_path):
    with pytest.raises(CatalogError, match="target digits has its examples beside it: leave out the folder"):
        training_set("digits", folder=tmp_path)
