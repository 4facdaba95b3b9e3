"""Examples of a user's own: what is refused and in which words, and the files that become a target. Needs no PyTorch."""

import importlib.util
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mcmc_bench
from mcmc_bench.catalog.files import CatalogError, load_target
from mcmc_bench.cli.app import app
from mcmc_bench.core.streams import stream
from mcmc_bench.densities.learning import own_examples
from mcmc_bench.densities.learning.density import learned
from mcmc_bench.densities.learning.network import Network

from .conftest import drawn

REPEATED = "examples are exactly equal to another, more than half; keep each of them once"


def call(*arguments):
    """Exit code, and all that was said."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def numbers(*shape):
    return stream("numbers", *shape).standard_normal(shape)


def with_one(array, value):
    array = array.copy()
    array[(3,) * array.ndim] = value
    return array


def repeated(count):
    """60 points, of which so many are equal to another."""
    points = numbers(60, 5)
    points[:count] = points[np.arange(count) // 2 * 2]
    if count % 2:
        points[count - 1] = points[0]
    return points


def held_out_differ(array, by):
    """Every fifth, which is held out, is moved, each one elsewhere."""
    array[4::5] += by * np.arange(1, 13)[:, None]
    return array


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (numbers(100), "has shape (100,); it must be (number, dim) or (number, height, width)"),
        (numbers(60, 8, 8, 3), "has shape (60, 8, 8, 3); it must be (number, dim) or (number, height, width)"),
        (np.float64(3.0), "has shape (); it must be (number, dim) or (number, height, width)"),
        (np.full((60, 3), "a"), "holds <U1; it must hold real numbers"),
        (numbers(60, 3) + 1j, "holds complex128; it must hold real numbers"),
        (np.zeros((60, 3), dtype="datetime64[s]"), "holds datetime64[s]; it must hold real numbers"),
        (numbers(49, 3), "holds 49 examples; at least 50 are needed"),
        (numbers(0, 3), "holds 0 examples; at least 50 are needed"),
        (numbers(60, 0), "has 0 coordinates for each example; from 1 to 784 are possible"),
        (numbers(60, 785), "has 785 coordinates for each example; from 1 to 784 are possible"),
        (numbers(60, 29, 28), "has images of 29 × 28 pixels; any size up to 28 × 28 is possible"),
        (numbers(60, 1, 784), "has images of 1 × 784 pixels; any size up to 28 × 28 is possible"),
        (numbers(60, 5, 0), "has images of 5 × 0 pixels; any size up to 28 × 28 is possible"),
        (
            with_one(numbers(60, 5, 5), np.nan),
            "holds 1 numbers that are not finite; remove the examples that have them",
        ),
        (with_one(numbers(60, 5), np.inf), "holds 1 numbers that are not finite; remove the examples that have them"),
        (np.full((60, 8, 8), 7), "all examples are the same; there is nothing to learn"),
        (np.tile(numbers(1, 5), (60, 1)), "all examples are the same; there is nothing to learn"),
        (with_one(np.zeros((60, 5, 5)), 1.0), f"59 of 60 {REPEATED}"),
        (repeated(31), f"31 of 60 {REPEATED}"),
        (
            -0.0 * np.sign(repeated(60)) + (np.arange(60) == 3)[:, None],
            "59 of 60 examples are exactly equal to another",
        ),
        (
            held_out_differ(np.zeros((60, 3)), 1.0),
            "only examples that are held out, every fifth, differ from the first",
        ),
        (
            held_out_differ(1e-9 * numbers(60, 3), 1.0),
            "without every fifth example, which is held out, has a standard deviation of",
        ),
        (1e9 + numbers(60, 3), "up to 1e+09 from 0; bring it to a scale near 1 and near 0"),
        (1e-9 * numbers(60, 3), "bring it to a scale near 1 and near 0"),
        (with_one(numbers(60, 5), 1e200), "bring it to a scale near 1 and near 0"),
    ],
)
def test_data_that_nothing_can_be_learned_from(tmp_path, data, message):
    file = tmp_path / "images.npy"
    np.save(file, data)
    code, said = call("train", "mine", "--data", file, "-o", tmp_path / "out")
    assert code == 2
    assert said.startswith(f"mcmc-bench: --data {file}")
    assert message in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a NumPy array file (.npy) of numbers"),
        (b"1, 2, 3\n", "is not a NumPy array file (.npy) of numbers"),
        (pickle.dumps([1, 2]), "is not a NumPy array file (.npy) of numbers"),
        (b"\x93NUMPY\x01\x00", "is not a NumPy array file (.npy) of numbers"),
        (
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (250000000, 784), }".ljust(127)
            + b"\n",
            "is not a NumPy array file (.npy) of numbers",
        ),
    ],
)
def test_files_that_are_none(tmp_path, content, message):
    file = tmp_path / "images.npy"
    file.write_bytes(content)
    code, said = call("train", "mine", "--data", file)
    assert code == 2
    assert said.startswith(f"mcmc-bench: --data {file}")
    assert message in said
    assert "store one with numpy.save" in said


def test_objects_are_not_unpickled(tmp_path):
    np.save(tmp_path / "o.npy", np.array([[1, None]] * 60, dtype=object), allow_pickle=True)
    code, said = call("train", "mine", "--data", tmp_path / "o.npy")
    assert code == 2
    assert "is not a NumPy array file (.npy) of numbers" in said


def test_several_arrays_and_none(tmp_path):
    np.savez(tmp_path / "s.npz", a=numbers(60, 3), b=numbers(60, 3))
    assert call("train", "mine", "--data", tmp_path / "s.npz") == (
        2,
        f"mcmc-bench: --data {tmp_path / 's.npz'} holds a, b (.npz); store one array, with numpy.save\n",
    )
    assert call("train", "mine", "--data", tmp_path / "no.npy") == (
        2,
        f"mcmc-bench: --data {tmp_path / 'no.npy'}: no such file\n",
    )


@pytest.mark.parametrize(
    "data",
    [
        np.where(np.arange(25) < 1, np.arange(60)[:, None], 0).reshape(60, 5, 5),  # images differ in one pixel
        repeated(30),  # half of them are equal to another
        numbers(60, 28, 1),
        np.arange(60)[:, None, None] * np.ones((60, 3, 3), dtype=np.uint8),  # each image is of one grey
        np.column_stack([numbers(60, 2), np.full(60, 4.0)]),  # one coordinate is constant
        numbers(50, 1),
        numbers(50, 28, 28).astype(np.float16),
        numbers(60, 4, 4) > 0,
        np.asfortranarray(numbers(60, 7)),
        numbers(60, 7).astype(">f4"),
    ],
)
def test_data_that_are_fine(tmp_path, data):
    np.save(tmp_path / "d.npy", data)
    read = own_examples.read_data(tmp_path / "d.npy")
    np.testing.assert_array_equal(read, data)
    training, held_out = own_examples.split(own_examples.flat(read))
    assert len(training) + len(held_out) == len(data)
    assert len(held_out) == len(data) // 5
    noise = own_examples.noise_range(read)
    assert 0 < noise["lowest_noise"] < noise["highest_noise"]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (2**18, 28, 28),
            "holds 262144 examples of 784 numbers; at most 171196 so large ones are possible: take fewer",
        ),
        ((10**9, 28, 29), "has images of 28 × 29 pixels"),
        ((10**9, 785), "has 785 coordinates"),
    ],
)
def test_data_that_are_too_many_are_refused_by_their_shape(monkeypatch, shape, message):
    """Before a number of them is converted: ones of a byte would take eight times as much."""
    monkeypatch.setattr(own_examples, "flat", lambda data: pytest.fail("converted"))
    with pytest.raises(ValueError, match=message):
        own_examples.check_data(np.broadcast_to(np.uint8(1), shape), "--data d.npy")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("digitz",), "unknown target: 'digitz'; did you mean 'digits'? "),
        (("digitz",), "For data of your own, give --data."),
        (("banana",), "target banana is not learned from examples: "),
        (
            ("two-words", "--data", "d.npy"),
            "NAME 'two-words' becomes a Python file: use letters, digits and underscores",
        ),
        (("_hidden", "--data", "d.npy"), "NAME '_hidden' becomes a Python file"),
        (("../up", "--data", "d.npy"), "NAME '../up' becomes a Python file"),
        (("class", "--data", "d.npy"), "NAME 'class' becomes a Python file"),
        (("banana", "--data", "d.npy"), "NAME banana: there is a built-in target of that name; choose another"),
        (("mine", "--data", "d.npy", "--steps", "0"), "Invalid value for '--steps'"),
        (("mine", "--data", "d.npy", "--width", "-3"), "Invalid value for '--width'"),
        (("mine", "--data", "d.npy", "--width", "many"), "Invalid value for '--width'"),
        (("mine", "--data", "d.npy", "--repeat", "0"), "Invalid value for '--repeat'"),
        (("mine", "--data", "d.npy", "--threads", "0"), "Invalid value for '--threads'"),
        (("mine", "--data", "d.npy", "--seed", "-1"), "Invalid value for '--seed'"),
        (("mine", "--data", "d.npy", "--seed", "18446744073709551615"), "Invalid value for '--seed'"),
        (("mine", "--data", "d.npy", "--seed", "99999999999999999999999"), "Invalid value for '--seed'"),
        (
            ("mine", "--data", "d.npy", "--folder", "X"),
            "--folder X has no use with --data, which says where the examples are: leave out one of the two",
        ),
        (("mine", "--data", "d.npy", "--targets", "X"), "--targets X has no use with --data"),
        (("mine", "--data", "d.npy", "--lowest-noise", "0"), "lowest_noise = 0 must be greater than 0 and less than"),
        (("mine", "--data", "d.npy", "--lowest-noise", "99"), "lowest_noise = 99 must be greater than 0 and less than"),
        (("mine", "--data", "d.npy", "--lowest-noise", "nan"), "lowest_noise = nan must be greater than 0"),
    ],
)
def test_wrong_arguments(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", numbers(60, 3))
    code, said = call("train", *arguments)
    assert code == 2
    assert message in " ".join(said.replace("│", " ").split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.npy"]


def test_nothing_is_overwritten_without_being_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", numbers(60, 3))
    Path("my_targets").mkdir()
    Path("my_targets/mine.py").write_text("# of my own")
    code, said = call("train", "mine", "--data", "d.npy")
    assert (code, said) == (
        2,
        "mcmc-bench: my_targets holds mine.py already; choose another NAME or folder, or replace with --force\n",
    )
    assert Path("my_targets/mine.py").read_text() == "# of my own"


def test_folders_that_cannot_be_written_into(tmp_path):
    with pytest.raises(ValueError, match=r"--output \S+: no such folder \S+nowhere; make it first"):
        own_examples.check_folder(tmp_path / "nowhere" / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ValueError, match=r"--output \S+file cannot be written into: File exists; choose another folder"
    ):
        own_examples.check_folder(tmp_path / "file")
    own_examples.check_folder(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that even root cannot write into is Linux's")
def test_a_folder_that_nobody_can_write_into():
    with pytest.raises(ValueError, match="--output /proc/self cannot be written into: "):
        own_examples.check_folder(Path("/proc/self"))


def test_without_pytorch_it_says_how_to_get_it(tmp_path):
    if importlib.util.find_spec("torch") is not None:
        pytest.skip("PyTorch is installed")
    np.save(tmp_path / "d.npy", numbers(60, 3))
    code, said = call("train", "mine", "--data", tmp_path / "d.npy", "-o", tmp_path / "out")
    assert (code, said) == (
        2,
        "mcmc-bench: training needs PyTorch, which is not installed: pip install -e '.[train]' in a clone of mcmc_bench\n",
    )
    assert not (tmp_path / "out").exists()


def of(examples):
    """A network, not learned, that has the mean and the spread of `examples`."""
    training, _ = own_examples.split(own_examples.flat(examples))
    mean = training.mean(axis=0).astype(np.float32).astype(np.float64)
    network = drawn(dim=training.shape[1])
    return Network({**network.arrays, "mean": mean}, float((training - mean).std()), 0.1, 8.0, network.provenance)


@pytest.fixture
def folder(tmp_path, rows, arc):
    """A folder with the targets `pictures` and `arc`, as training leaves them, but for the weights."""
    own_examples.write_target(tmp_path / "pictures", of(rows / 255.0), rows / 255.0, Path("rows.npy"))
    own_examples.write_target(tmp_path / "arc", of(arc), arc, Path("arc.npy"))
    return tmp_path


def test_what_is_written_is_a_target(folder, rows, arc):
    pictures = load_target("pictures", targets_folder=folder, sigma=0.2)
    assert pictures.dim == 20
    assert pictures.examples.shape == (5, 4)
    assert pictures.examples.pixels == (0.0, 1.0)
    given = rows.reshape(200, -1) / 255.0
    np.testing.assert_allclose(pictures.examples.held_out + pictures.examples.centre, given[4::5], atol=1e-7)
    assert len(pictures.examples.training) == 160
    plain = load_target("arc", targets_folder=folder)
    assert plain.examples.shape is None
    x = numbers(5, 2)
    expected = learned(of(arc), 0.1).log_density_and_gradient(x)
    for found, wanted in zip(plain.log_density_and_gradient(x), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    with pytest.raises(CatalogError, match=r"noise level 0.05 is below 0.1, the lowest that the network was trained"):
        load_target("arc", targets_folder=folder, sigma=0.05)


def test_its_draws_are_measured_against_the_held_out_examples(folder):
    """Data without classes have no entropy of classes; all else is given."""
    target = load_target("arc", targets_folder=folder)
    tree = mcmc_bench.sample(target, "annealed_langevin", draws=1, chains=40, seed="own", largest_noise=8.0, levels=5)
    frame = mcmc_bench.evaluate(tree, target).set_index("metric")
    assert "class_entropy" not in frame.index
    for metric in ("nearest_training", "data_sliced_wasserstein", "escaped_share", "data_coverage", "vendi_score"):
        assert np.isfinite(frame.loc[metric, ["value", "floor"]].astype(float)).all()


@pytest.mark.slow
def test_every_command_takes_it(folder, tmp_path):
    """check, and a suite with its report: both work in processes of their own."""
    suite = tmp_path / "suite.toml"
    suite.write_text(
        '[suite]\ntitle = "Mine"\nbudget = 60\nchains = 16\nreplicates = 2\nmetrics = ["cost", "examples"]\n'
        '[[experiment]]\nname = "m"\ntargets = [{ name = "pictures", sigma = 0.3 }, "arc"]\nsamplers = ["mala"]\n'
    )

    code, out = call("run", suite, "--targets", folder, "-o", tmp_path / "out")
    assert code == 0, out
    assert "2 cells: 2 finished" in out
    assert (tmp_path / "out" / "index.html").is_file()
    code, out = call("check", folder / "pictures.py", "-o", tmp_path / "pictures.png")
    assert code == 0, out
    assert "pictures: no problem found" in out


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "arc.examples.npz").unlink(), "no examples "),
        (lambda folder: (folder / "arc.weights.npz").unlink(), "no weights file "),
        (lambda folder: (folder / "arc.examples.npz").write_bytes(b"PK"), "is not a whole file of examples"),
        (lambda folder: np.savez(folder / "arc.examples.npz", other=[1]), "is not a whole file of examples"),
        (
            lambda folder: (folder / "pictures.examples.npz").replace(folder / "arc.examples.npz"),
            "has 20 coordinates and the weights beside it 2: they are of two trainings; train again",
        ),
    ],
)
def test_files_that_do_not_fit(folder, spoil, message):
    spoil(folder)
    with pytest.raises(CatalogError, match=message):
        load_target("arc", targets_folder=folder)


def test_digits_with_weights_of_ones_own(tmp_path, weights):
    from mcmc_bench.densities.learning.network import write

    network = drawn(dim=64)
    write(tmp_path / "d.weights.npz", replace(network, scale=0.5))
    target = load_target("digits", sigma=0.5, weights=str(tmp_path / "d.weights.npz"))
    x = numbers(3, 64)
    assert (
        np.abs(
            target.log_density_and_gradient(x)[1] - load_target("digits", sigma=0.5).log_density_and_gradient(x)[1]
        ).max()
        > 1e-3
    )
    with pytest.raises(CatalogError, match="are of a network for 6 coordinates, and these images have 64"):
        load_target("digits", weights=str(weights))
    with pytest.raises(CatalogError, match=r"no weights file nowhere\.npz; train it again with"):
        load_target("digits", weights="nowhere.npz")
    write(tmp_path / "d.weights.npz", drawn(dim=64, width=12))
    again = load_target("digits", sigma=0.5, weights=str(tmp_path / "d.weights.npz"))
    assert len(again.data) != len(target.data), "weights that were trained again are not seen"


@pytest.mark.parametrize("name", ["digits", "fashion"])
@pytest.mark.parametrize("weights", [3, 0, None, 2.5, ["w.npz"]])
def test_weights_that_are_no_name_of_a_file(name, weights):
    with pytest.raises(CatalogError) as refused:
        load_target(name, weights=weights)
    assert f"weights = {weights!r} must be the name of a file that `mcmc-bench train` has written" in str(refused.value)


def test_what_was_trained_again_is_seen_in_the_same_session(folder, arc):
    """Weights and examples."""
    before = load_target("arc", targets_folder=folder)
    assert load_target("arc", targets_folder=folder).examples.centre is before.examples.centre, "read twice for nothing"
    moved = arc + 1.0
    own_examples.write_target(folder / "arc", of(moved), moved, Path("arc.npy"))
    after = load_target("arc", targets_folder=folder)
    np.testing.assert_allclose(after.examples.centre, before.examples.centre + 1.0, atol=1e-5)
    np.testing.assert_allclose(after.examples.held_out + after.examples.centre, moved[4::5], atol=1e-6)
