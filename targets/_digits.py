"""The images of handwritten digits, the network that has learned them, and examples for both targets that show them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from mcmc_bench.core.examples import Examples
from mcmc_bench.densities.learning.density import network_of
from mcmc_bench.densities.learning.network import Network

FOLDER = Path(__file__).resolve().parent / "data"


@cache
def images() -> tuple[np.ndarray, np.ndarray, int]:
    """All images (n, 64) with pixels from −1 to 1, their labels (n,), and how many of the last are held out."""
    with np.load(FOLDER / "digits.npz", allow_pickle=False) as stored:
        scans = stored["images"].reshape(-1, 64) / 8.0 - 1.0
        return scans, stored["labels"].astype(np.int64), int(stored["held_out"])


def training_set() -> tuple[np.ndarray, np.ndarray, dict]:
    """For `mcmc-bench train`: examples, held-out ones, and nothing of the recipe changed."""
    scans, _, held_out = images()
    return scans[:-held_out], scans[-held_out:], {}


def network(weights: str = "") -> Network:
    """The network of the file `weights`, or the one beside the images."""
    return network_of(FOLDER / "digits.weights.npz" if weights == "" else weights)


def examples_with(denoised: Callable[[np.ndarray], np.ndarray], weights: str = "") -> Examples:
    """The images in the target's coordinates, centred; `denoised` takes the noise off its draws."""
    scans, labels, held_out = images()
    centre = network(weights).arrays["mean"]
    return Examples(
        training=scans[:-held_out] - centre,
        held_out=scans[-held_out:] - centre,
        training_class=labels[:-held_out],
        held_out_class=labels[-held_out:],
        denoised=denoised,
        shape=(8, 8),
        centre=centre,
        pixels=(-1.0, 1.0),
    )
