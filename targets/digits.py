"""Handwritten digits, 8 × 8: a density learned by a network from 1,437 scans (`mcmc-bench train digits`).

Its weights are in `data/digits.weights.npz`, its images in `data/digits.npz`, both with the script that made them.
"""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np

from mcmc_bench.core.target import Counterpart, Examples, Target
from mcmc_bench.densities.learning.density import denoiser, learned, network_of
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
    """What has been learned, here or in a training of one's own."""
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


def _memorised(sigma: float) -> Target:
    from . import digits_memorised  # which imports this file

    return digits_memorised.build(sigma)


def build(sigma: float = 0.75, weights: str = "") -> Target:
    """The learned density of images with noise of standard deviation `sigma` on them.

    At 0.75 chains wander between all digits, at 0.5 they need long for it, below 0.3 they stay where they began.

    Args:
        sigma: σ, at least 0.1.
        weights: a file that `mcmc-bench train digits` has written; the one beside the images by default.
    """
    trained = network(weights)
    mean = trained.arrays["mean"]
    if mean.shape != (64,):
        raise ValueError(f"weights = {weights} are of a network for {len(mean)} coordinates, and these images have 64")
    return learned(
        trained, sigma,
        examples=examples_with(denoiser(trained, sigma), weights),
        counterpart=Counterpart(
            "digits_memorised", partial(_memorised, sigma), sigma, trained.highest_noise, is_source=False
        ),
        tags=("learned", "real data", "high-dimensional"),
        formula="exp(−E(x, σ)), E a network whose −∇E has learned the score of images with noise σ",
        description="The target of diffusion models in small: a score learned from real images, with all the peaks that "
        "ascent without noise falls onto.",
        source="images: Alpaydin and Kaynak 1998, doi 10.24432/C50P49; form: Karras et al. 2022, arXiv 2206.00364",
    )  # fmt: skip
