"""Handwritten digits, 8 × 8: a density learnt by a network from 1,437 scans (`mcmc-bench train digits`).

Its weights are in `data/digits.weights.npz`, its images in `data/digits.npz`, both with the script that made them.
"""

from functools import cache
from pathlib import Path

import numpy as np

from mcmc_bench.learning.density import denoiser, learned
from mcmc_bench.learning.network import Network, read
from mcmc_bench.target import Examples, Target

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


@cache
def network(weights: str = "") -> Network:
    """What has been learnt, here or in a training of one's own."""
    return read(Path(weights) if weights else FOLDER / "digits.weights.npz")


def build(sigma: float = 0.75, weights: str = "") -> Target:
    """The learned density of images with noise of standard deviation `sigma` on them.

    At 0.75 chains wander between all digits, at 0.5 they need long for it, below 0.3 they stay where they began.

    Args:
        sigma: σ, at least 0.1.
        weights: a file that `mcmc-bench train digits` has written; the one beside the images by default.
    """
    scans, labels, held_out = images()
    learnt = network(weights)
    mean = learnt.arrays["mean"]
    if mean.shape != (64,):
        raise ValueError(f"weights = {weights} are of a network for {len(mean)} coordinates, and these images have 64")
    centred = scans - mean
    return learned(
        learnt, sigma,
        examples=Examples(
            training=centred[:-held_out],
            held_out=centred[-held_out:],
            training_class=labels[:-held_out],
            held_out_class=labels[-held_out:],
            denoised=denoiser(learnt, sigma),
            shape=(8, 8),
            centre=mean,
            pixels=(-1.0, 1.0),
        ),
        tags=("learned", "real data", "high-dimensional"),
        formula="exp(−E(x, σ)), E a network whose −∇E has learnt the score of images with noise σ",
        description="The target of diffusion models in small: a score learnt from real images, with all the peaks that "
        "ascent without noise falls onto.",
        source="images: Alpaydin and Kaynak 1998, doi 10.24432/C50P49; form: Karras et al. 2022, arXiv 2206.00364",
    )  # fmt: skip
