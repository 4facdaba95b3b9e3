"""Checkerboard, learned by a network from 8,000 points (`mcmc-bench train checkerboard_learned`).

Its weights are in `data/checkerboard_learned.weights.npz`; the truth is `checkerboard`.
"""

from functools import partial
from pathlib import Path

import numpy as np

from mcmc_bench.core.target import Counterpart, Target
from mcmc_bench.densities.learning.density import denoiser, learned, network_of
from mcmc_bench.densities.learning.network import Network

from . import checkerboard

FOLDER = Path(__file__).resolve().parent / "data"


def training_set() -> tuple[np.ndarray, np.ndarray, dict]:
    """For `mcmc-bench train`: examples, held-out ones, and what of the recipe is its own.

    Points in the plane cost little and so small a network cannot learn them by heart: narrower layers, more steps, more
    examples for each, and no weight decay, which rounds off the edges of the squares.
    """
    points = checkerboard.examples()[0]
    own = {"width": 64, "rank": 32, "steps": 8000, "batch": 512, "weight_decay": 0.0, "lowest_noise": 0.1}
    return points[: checkerboard.TRAINING], points[checkerboard.TRAINING :], own


def network() -> Network:
    """The network that has learned the points."""
    return network_of(FOLDER / "checkerboard_learned.weights.npz")


def build(sigma: float = 0.1) -> Target:
    """The learned density of points with noise of standard deviation `sigma` on them.

    Args:
        sigma: σ, at least 0.1, in sides of a square.
    """
    return learned(
        network(),
        sigma,
        examples=checkerboard.examples_with(denoiser(network(), sigma)),
        counterpart=Counterpart(
            "checkerboard", partial(checkerboard.build, sigma), sigma, network().highest_noise, is_source=True
        ),
        tags=("learned", "multimodal"),
        formula="exp(−E(x, σ)), E a network whose −∇E has learned the score of points with noise σ",
        description="A learned score that can be drawn beside the true one, with its error against the noise.",
        source="the board: Grathwohl et al. 2019, arXiv 1810.01367; form: Karras et al. 2022, arXiv 2206.00364",
    )
