"""Examples of a user's own: read and checked, split, and made into the files that are a target.

Must not know PyTorch, nor how a network is trained.
"""

from __future__ import annotations

import hashlib
import io
import keyword
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.files import write_atomically
from mcmc_bench.densities.learning.network import AGAIN, Network, WeightsError, write

#: What is written for NAME, after its name.
TARGET, WEIGHTS, EXAMPLES, LOSSES = ".py", ".weights.npz", ".examples.npz", ".loss.png"
#: Of examples, so that the ten that are held out have neighbours; pixels of a side; of coordinates.
FEWEST, LONGEST_SIDE, LARGEST = 50, 28, 28 * 28
#: Of numbers in all: a gigabyte in double precision, of which training takes a few.
MOST_NUMBERS = 2**27
#: Noise levels in standard deviations of the data. On images the lowest is hardly seen; points have finer detail.
LOWEST_NOISE = {"images": 0.2, "points": 0.05}
HIGHEST_NOISE = 15.0
#: How far from 0 the data may lie, in their standard deviations: weights are stored in single precision.
FARTHEST = 1e4

FILE = '''"""A density learned from {count} examples of one's own (`mcmc-bench train {name} --data {data}`).

Its weights are in {name}.weights.npz, its examples in {name}.examples.npz, beside this file.
"""

from pathlib import Path

from mcmc_bench.densities.learning.density import from_files
from mcmc_bench.core.target import Target


def build(sigma: float = {sigma:.4g}) -> Target:
    """The learned density of the examples with noise of standard deviation `sigma` on them.

    Args:
        sigma: σ, at least {sigma:.4g}, the lowest that was learned.
    """
    return from_files(Path(__file__).with_suffix(""), sigma)
'''


def beside(stem: Path, ending: str) -> Path:
    """The file of `stem` with this ending."""
    return stem.with_name(stem.name + ending)


def read_data(file: Path) -> Any:
    """The array of examples in a NumPy file, checked.

    Raises:
        ValueError: it cannot be read (pickled objects are not), or `check_data` refuses it.
    """
    try:
        # Mapped first: a header that promises more than the file holds is refused before anything is allocated.
        data = np.load(file, allow_pickle=False, mmap_mode="r")
    except FileNotFoundError as error:
        raise ValueError(f"--data {file}: no such file") from error
    except Exception as error:
        raise ValueError(
            f"--data {file} is not a NumPy array file (.npy) of numbers: {error}; store one with numpy.save"
        ) from error
    if not isinstance(data, np.ndarray):
        names = ", ".join(data.files)
        data.close()
        raise ValueError(f"--data {file} holds {names or 'no arrays'} (.npz); store one array, with numpy.save")
    check_data(data, f"--data {file}")
    return np.array(data)


def check_data(data: Any, what: str) -> None:
    """Can a density be learned from `data`, (number, dim) or (number, height, width)?

    Raises:
        ValueError: what is wrong with it.
    """
    if data.ndim not in (2, 3):
        raise ValueError(f"{what} has shape {data.shape}; it must be (number, dim) or (number, height, width)")
    if data.dtype.kind not in "fiub":
        raise ValueError(f"{what} holds {data.dtype}; it must hold real numbers")
    if len(data) < FEWEST:
        raise ValueError(f"{what} holds {len(data)} examples; at least {FEWEST} are needed")
    _check_size(data.shape, what)
    array = flat(data)
    wrong = np.count_nonzero(~np.isfinite(array))
    if wrong:
        raise ValueError(f"{what} holds {wrong} numbers that are not finite; remove the examples that have them")
    if (array == array[0]).all():
        raise ValueError(f"{what}: all examples are the same; there is nothing to learn")
    _check_spread(array, what)
    # What is learned from, and what sets the noise levels, is a part: the others alone may be what differs.
    training, _ = split(array)
    if (training == training[0]).all():
        raise ValueError(
            f"{what}: only examples that are held out, every fifth, differ from the first; there is nothing to learn from "
            "the others; shuffle the examples"
        )
    _check_spread(training, f"{what}, without every fifth example, which is held out,")
    repeated = _repeated(array)
    if 2 * repeated > len(array):
        raise ValueError(
            f"{what}: {repeated} of {len(array)} examples are exactly equal to another, more than half; keep each of them "
            "once"
        )


def _check_size(shape: tuple[int, ...], what: str) -> None:
    """Before anything is computed from the numbers, of which there may be too many."""
    if len(shape) == 3 and not (min(shape[1:]) >= 1 and max(shape[1:]) <= LONGEST_SIDE):
        raise ValueError(
            f"{what} has images of {shape[1]} × {shape[2]} pixels; any size up to {LONGEST_SIDE} × {LONGEST_SIDE} is possible"
        )
    dim = int(np.prod(shape[1:]))
    if not 1 <= dim <= LARGEST:
        raise ValueError(f"{what} has {dim} coordinates for each example; from 1 to {LARGEST} are possible")
    if shape[0] * dim > MOST_NUMBERS:
        raise ValueError(
            f"{what} holds {shape[0]} examples of {dim} numbers; at most {MOST_NUMBERS // dim} so large ones are possible: "
            "take fewer"
        )


def _check_spread(array: Array, what: str) -> None:
    """Is it of a scale at which numbers in single precision can tell examples apart?"""
    with np.errstate(all="ignore"):  # of numbers so large that their squares are none
        mean = array.mean(axis=0)
        scale, offset = (array - mean).std(), np.abs(mean).max()
    if not (1e-6 < scale < 1e6 and offset < FARTHEST * scale):
        raise ValueError(
            f"{what} has a standard deviation of {scale:.3g} at up to {offset:.3g} from 0; bring it to a scale near 1 "
            "and near 0"
        )


def _repeated(array: Array) -> int:
    """The number of examples (number, dim) that are exactly equal to another one."""
    counts = Counter(hashlib.blake2b((row + 0.0).tobytes()).digest() for row in array)  # + 0.0: −0 is 0
    return sum(count for count in counts.values() if count > 1)


def flat(data: Any) -> Array:
    """Examples as float64 (number, dim)."""
    return np.asarray(data).reshape(len(data), -1).astype(np.float64)


def split(examples: Array) -> tuple[Array, Array]:
    """Every fifth example is held out: (training, held out)."""
    out = np.arange(len(examples)) % 5 == 4
    return examples[~out], examples[out]


def noise_range(data: Any) -> dict[str, float]:
    """The lowest and the highest noise that suit `data`, by their standard deviation; parts of a recipe."""
    training, _ = split(flat(data))
    scale = float((training - training.mean(axis=0)).std())
    lowest = LOWEST_NOISE["images" if data.ndim == 3 else "points"]
    return {"lowest_noise": float(f"{lowest * scale:.3g}"), "highest_noise": float(f"{HIGHEST_NOISE * scale:.3g}")}


def check_name(name: str) -> None:
    """May a target be called so?

    Raises:
        ValueError: no, with the reason.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise ValueError(f"NAME {name!r} becomes a Python file: use letters, digits and underscores, a letter first")


def check_folder(folder: Path) -> None:
    """Make the folder that will be written into, and see that it can be: before a minute of training, not after.

    Raises:
        ValueError: it cannot be.
    """
    if not folder.parent.is_dir():
        raise ValueError(f"--output {folder}: no such folder {folder.parent}; make it first")
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"--output {folder} cannot be written into: {error.strerror}; choose another folder"
        ) from error


def check_free(files: list[Path]) -> None:
    """Is there nothing that would be overwritten?

    Raises:
        ValueError: there is.
    """
    there = [file.name for file in files if file.exists()]
    if there:
        raise ValueError(
            f"{files[0].parent} holds {', '.join(there)} already; choose another NAME or folder, or replace with --force"
        )


def read_examples(file: Path) -> Any:
    """The examples that `write_target` has stored, as they were given.

    Raises:
        WeightsError: no such file, or not a whole one.
    """
    try:
        with np.load(file, allow_pickle=False) as stored:
            examples = stored["examples"]
        check_data(examples, str(file))
    except FileNotFoundError as error:
        raise WeightsError(f"no examples {file}; {AGAIN}") from error
    except Exception as error:
        raise WeightsError(f"{file} is not a whole file of examples ({error}); {AGAIN}") from error
    return examples


def write_target(stem: Path, network: Network, examples: Any, data: Path) -> None:
    """The files that are the target `stem.name`: its weights, its examples as they were given, and its Python file."""
    write(beside(stem, WEIGHTS), network)
    stored = io.BytesIO()
    np.savez_compressed(stored, allow_pickle=False, examples=examples)
    write_atomically(beside(stem, EXAMPLES), stored.getvalue())
    count = len(split(examples)[0])
    text = FILE.format(count=count, name=stem.name, data=data.name, sigma=network.lowest_noise)
    write_atomically(beside(stem, TARGET), text.encode("utf-8"))
