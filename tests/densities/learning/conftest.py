"""Networks whose weights are drawn, not learned, and examples of a few kinds."""

import numpy as np
import pytest

from mcmc_bench.core.streams import stream
from mcmc_bench.densities.learning.network import FREQUENCIES, Network, write


def drawn(dim=6, width=10, rank=4, scale=0.7, provenance=None, directions=0):
    """A network of no meaning in which every array matters; it looks along so many directions, 0: at the coordinates."""
    generator = stream("drawn network", dim, width, rank)
    sizes = {"d": dim, "i": directions or dim, "h": width, "r": rank, "n": 2 * FREQUENCIES, "m": 2 * width}
    shapes = {
        "mean": "d",
        "weight_1": "ih",
        "bias_1": "h",
        "noise_1": "nm",
        "weight_2": "hh",
        "bias_2": "h",
        "noise_2": "nm",
        "weight_3": "hh",
        "bias_3": "h",
        "noise_3": "nm",
        "linear": "h",
        "quadratic": "hr",
    }
    arrays = {}
    for name, letters in shapes.items():
        shape = [sizes[letter] for letter in letters]
        values = generator.standard_normal(shape) / np.sqrt(shape[0]) * (0.2 if name.startswith("noise") else 1.0)
        arrays[name] = values.astype(np.float32).astype(np.float64)  # as a file holds them
    if directions:  # in double precision, so that they are orthonormal to rounding
        arrays["directions"] = np.linalg.qr(generator.standard_normal((dim, directions)))[0]
        arrays["variances"] = 4.0 * scale**2 * np.exp(generator.standard_normal(directions))
        arrays["rest"] = np.array(0.2 * scale**2)
    return Network(arrays, scale, 0.1, 8.0, provenance or {"name": "drawn"})


@pytest.fixture
def network():
    """A small network."""
    return drawn()


@pytest.fixture
def along_directions():
    """A small network that looks along four of six directions."""
    return drawn(directions=4)


@pytest.fixture
def weights(tmp_path, network):
    """The file of a small network."""
    write(tmp_path / "w.weights.npz", network)
    return tmp_path / "w.weights.npz"


@pytest.fixture(scope="session")
def rows():
    """200 images of 5 × 4 pixels, as bytes: a bright row that moves, a column that is always black."""
    generator = stream("images of rows")
    images = np.zeros((200, 5, 4), dtype=np.uint8)
    images[np.arange(200), generator.integers(5, size=200), :3] = generator.integers(150, 256, size=(200, 3))
    return images


@pytest.fixture(scope="session")
def arc():
    """500 points on three quarters of a circle, of radius 2 about (3, −1), with a little noise."""
    generator = stream("points on an arc")
    angle = generator.uniform(0.0, 1.5 * np.pi, 500)
    points = 2.0 * np.column_stack([np.cos(angle), np.sin(angle)]) + [3.0, -1.0]
    return points + 0.1 * generator.standard_normal((500, 2))
