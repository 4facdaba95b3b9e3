"""Handwritten digits, 8 × 8: a density learned by a network from 1,437 scans (`mcmc-bench train digits`).

Its weights are in `data/digits.weights.npz`, its images in `data/digits.npz`, both with the script that made them.
"""

from functools import partial

from mcmc_bench.core.target import Counterpart, Target
from mcmc_bench.densities.learning.density import denoiser, learned

from . import digits_memorised
from ._digits import examples_with, network, training_set

__all__ = ["build", "network", "training_set"]  # the last two for `mcmc-bench train`


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
        trained,
        sigma,
        examples=examples_with(denoiser(trained, sigma), weights),
        counterpart=Counterpart(
            "digits_memorised", partial(digits_memorised.build, sigma), sigma, trained.highest_noise, is_source=False
        ),
        tags=("learned", "real data", "high-dimensional"),
        formula="exp(−E(x, σ)), E a network whose −∇E has learned the score of images with noise σ",
        description="The target of diffusion models in small: a score learned from real images, with all the peaks that "
        "ascent without noise falls onto.",
        source="images: Alpaydin and Kaynak 1998, doi 10.24432/C50P49; form: Karras et al. 2022, arXiv 2206.00364",
    )
