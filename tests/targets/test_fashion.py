"""The target `fashion`: what is shipped, with its licence; single precision against double; no chain escapes."""

import numpy as np
import pytest

from mcmc_bench.catalog.files import CatalogError, load_sampler, load_target, training_set
from mcmc_bench.core.sampler import Sampler, Setting
from mcmc_bench.core.streams import stream
from mcmc_bench.densities.learning.density import learned
from mcmc_bench.kernels.energy_network import HEAD
from mcmc_bench.sampling.replicate import Plan, run


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
    assert len(examples.class_names) == examples.classes == 10


def test_shipped_images_are_a_sample_and_no_selection(target, root):
    """Both sets are drawn whatever the class: shares of classes differ from the test set's as those of a sample do.

    With as many of each in both sets, floors would be too good: Σ (n − 40)²/40 would be 0. Of a sample it is about χ² with nine
    degrees of freedom, below 0.6 or above 30 once in two thousand times.
    """
    with np.load(root / "targets" / "data" / "fashion.npz", allow_pickle=False) as stored:
        sets = np.split(stored["labels"], 2)
    np.testing.assert_array_equal(target.examples.held_out_class, sets[0])
    for labels in sets:
        counts = np.bincount(labels, minlength=10)
        assert counts.sum() == 400
        assert 0.6 < ((counts - 40.0) ** 2 / 40.0).sum() < 30.0


def test_shipped_images_are_those_of_the_package(target, root):
    """Each is an image of the test set and none of the training, with its label and its distance to the nearest there."""
    try:
        training, held_out, _ = training_set("fashion")
    except ValueError as error:
        pytest.skip(f"NOT TESTED: the images of fashion.npz: {error}")
    with np.load(root / "targets" / "data" / "fashion.npz", allow_pickle=False) as stored:
        shipped = stored["images"] / 127.5 - 1.0
        nearest = stored["nearest_training"]
    known = {image.astype(np.float32).tobytes() for image in held_out}
    assert all(image.astype(np.float32).tobytes() in known for image in shipped)
    few = shipped[:400:8]  # 50 of the first set: their median has an error of a tenth of its own spread and more
    squared = (few**2).sum(axis=1)[:, None] - 2.0 * few @ training.T + (training**2).sum(axis=1)
    distance = np.sqrt(squared.min(axis=1))
    assert distance.min() > 0.1
    # A median between the 11th and the 40th of 50: outside once in 20,000 times.
    low, high = np.sort(distance)[[10, 39]]
    assert low < nearest[0] < high
    assert target.examples.training_distance == nearest[0]


def test_classifier_takes_images_less_any_mean(target, tmp_path, weights):
    """Weights that were learned from other images have another mean, and what is classified are the images."""
    from dataclasses import replace

    from mcmc_bench.densities.learning.network import read, write

    network = read(weights)
    other = replace(network, arrays={**network.arrays, "mean": network.arrays["mean"] + 0.7})
    write(tmp_path / "w.weights.npz", other)
    examples = load_target("fashion", weights=str(tmp_path / "w.weights.npz")).examples
    np.testing.assert_allclose(examples.held_out, target.examples.held_out - 0.7, atol=1e-6)
    np.testing.assert_array_equal(
        examples.classify(examples.held_out), target.examples.classify(target.examples.held_out)
    )
    moved = target.examples.classify(target.examples.held_out - 0.7)  # power
    assert (moved != target.examples.classify(target.examples.held_out)).mean() > 0.1


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
    from mcmc_bench.densities.learning.network import read

    network = read(weights)
    recipe = network.provenance["recipe"]
    assert network.provenance["made by"].startswith("mcmc-bench train fashion")
    assert network.provenance["steps_made"] == recipe["steps"]
    assert network.provenance["held_out_loss"] < 1.0
    assert network.arrays["directions"].shape == (784, recipe["directions"])
    np.testing.assert_allclose(
        network.arrays["directions"].T @ network.arrays["directions"], np.eye(recipe["directions"]), atol=1e-5
    )


def one_term_after_the_other(a, b):
    """The product of a (n, k) and b (k, m) with every partial sum rounded to their precision."""
    return np.stack([np.cumsum(row[:, None] * b, axis=0, dtype=b.dtype)[-1] for row in a])


def with_six_bits_less(a, b):
    """The same product, each entry cut to 18 of its 24 bits."""
    return (np.matmul(a, b).view(np.uint32) & ~np.uint32(63)).view(np.float32)


def log_density_in_numpy(x, data, number, product):
    """Log density (n,) and gradient (n, dim) of the folded network `data` at x (n, dim), computed in precision `number`."""
    dim, inputs, width, rank = (int(size) for size in data[1:5])
    sigma, scale, rest = data[5:8]
    shapes = [(dim, inputs), (inputs,), (inputs,), (inputs, width), (width,)]
    shapes += [(width, width), (width,)] * 2 + [(width,), (width, rank)]
    ends = HEAD + np.cumsum([np.prod(shape) for shape in shapes])
    parts = np.split(data.astype(number), [HEAD, *ends])[1:-1]
    directions, excess, shrinkages, *layers, linear, quadratic = map(np.reshape, parts, shapes)
    along = product(x.astype(number), directions)
    inner, steps = shrinkages * along, []
    for weight, bias in zip(layers[::2], layers[1::2], strict=True):
        inside = product(inner, weight) + bias
        root = 1 / np.sqrt(inside**2 + 4)
        inner = inside / 2 * (1 + inside * root)
        steps.append(((1 + inside * root * (1 + 4 * root**2)) / 2, weight))
    projected = product(inner, quadratic)
    slope = number(scale / sigma) * (linear - product(projected, quadratic.T))
    for derivative, weight in reversed(steps):
        slope = product(slope * derivative, weight.T)
    back = product(shrinkages * slope - excess * along, directions.T)
    gain = (linear * inner).sum(axis=1, dtype=float) - 0.5 * (projected**2).sum(axis=1, dtype=float)
    value = scale / sigma * gain - 0.5 * (excess * along**2).sum(axis=1, dtype=float)
    return value - 0.5 * (x**2).sum(axis=1) / (sigma**2 + rest), back - x / (sigma**2 + rest)


def off(found, exact):
    """The largest errors over all points: of log p, and of the gradient in Euclidean norm."""
    return np.abs(found[0] - exact[0]).max(), np.linalg.norm(found[1] - exact[1], axis=1).max()


@pytest.mark.parametrize("sigma", [0.15, 2.0, 40.0])
def test_single_precision_is_double_but_for_rounding(weights, sigma):
    """The same formulas in both, but for what rounding to 32 bits makes of them.

    The plainest arithmetic says how much that is: each sum is made one term after the other, so the result is the
    same on every processor. Libraries add in blocks and round less; the factor 3 is for the luck of either order.
    Power: products with six bits fewer are caught.
    """
    target = load_target("fashion", sigma=sigma)
    double = target.in_double()
    assert double.label == target.label
    noise = sigma * stream("single", sigma).standard_normal((30, 784))
    points = np.concatenate([target.examples.held_out[:30] + noise, target.starts("dispersed", stream("wide"), 30)])
    single, exact = (one.log_density_and_gradient(points) for one in (target, double))
    np.testing.assert_allclose(off(log_density_in_numpy(points, double.data, float, np.matmul), exact), 0.0, atol=1e-9)
    plain = off(log_density_in_numpy(points, double.data, np.float32, one_term_after_the_other), exact)
    assert off(single, exact)[1] > 0.0, "it was computed in double precision"
    assert (np.array(off(single, exact)) < 3.0 * np.array(plain)).all()
    coarse = log_density_in_numpy(points, double.data, np.float32, with_six_bits_less)
    assert (np.array(off(coarse, exact)) > 3.0 * np.array(plain)).all()
    assert plain[0] < 0.02, "a Metropolis step sees differences of log p"


def test_blocks_are_as_large_as_the_target_likes(target):
    """128 chains in blocks of 64, each with its own stream: the second block is not the first one again."""
    seen = []

    def draw(_, generator, start, draws, settings):
        seen.append(start.shape)
        return np.tile(start, (draws, 1, 1))

    plan = Plan(1, 1, keep=True)
    mine = Sampler(
        kind="biased", description="", source="", draw=draw, settings={"scale": Setting(1.0, "")}, name="mine"
    )
    run(target, mine, {}, plan, chains=128, start="one_point", names=("blocks",))
    assert sorted(seen) == [(64, 784)] * 2
    ula = load_sampler("ula")
    draws = run(target, ula, {"step_size": 1e-4}, plan, chains=128, start="one_point", names=("blocks",))
    ends = draws.end
    assert len(np.unique(ends[:, 0])) == 128


@pytest.mark.long
@pytest.mark.parametrize(
    ("sampler", "settings", "transitions"),
    [
        ("ula", {"step_size": 0.1 * 0.15**2}, 500),
        ("mala", {"step_size": 0.1 * 0.15**2}, 500),
        ("hmc", {"step_size": 0.3 * 0.15, "num_integration_steps": 5}, 100),
    ],
)
def test_no_chain_escapes(target, sampler, settings, transitions):
    """A thousand gradients at the lowest noise, from noise and from the mean: all stay where images are, nothing is clipped."""
    farthest = np.linalg.norm(np.concatenate([target.examples.held_out, target.examples.further]), axis=1).max()
    for start in ("dispersed", "one_point"):
        draws = run(
            target,
            load_sampler(sampler),
            settings,
            Plan(transitions, transitions, keep=False),
            chains=16,
            start=start,
            names=("escape", start),
        )
        assert (draws.stopped_at < 0).all()
        assert np.linalg.norm(target.examples.denoised(draws.end), axis=1).max() < 1.5 * farthest


def test_density_confines_from_any_distance(target):
    """From far outside, in every direction, the score points inwards: x·∇log p < 0."""
    directions = stream("rays").standard_normal((32, 784))
    for distance in (50.0, 1e3, 1e5):
        points = distance * directions / np.linalg.norm(directions, axis=1)[:, None]
        gradient = target.log_density_and_gradient(points)[1]
        assert ((gradient * points).sum(axis=1) < 0.0).all()


@pytest.mark.parametrize("directions", [True, False])
def test_draws_of_the_gaussian_part_are_of_the_density_without_the_rest(weights, directions):
    """Above the highest noise the density is the data's Gaussian: starts of its own draws have its mean log density.

    So of a network along directions, and of one without.
    """
    from mcmc_bench.densities.learning.network import Network, read

    network = read(weights)
    if not directions:
        others = {
            name: array for name, array in network.arrays.items() if name not in ("directions", "variances", "rest")
        }
        others["weight_1"] = stream("first layer").standard_normal((784, others["weight_1"].shape[1])) / 28.0
        network = Network(others, network.scale, network.lowest_noise, network.highest_noise)
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
