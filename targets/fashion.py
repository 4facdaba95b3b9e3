"""Photographs of clothes, 28 × 28: a density learned by a network from the 60,000 of Fashion-MNIST (`mcmc-bench train fashion`).

Its weights are in `data/fashion.weights.npz`; 800 images that it has never seen, and a classifier, in `data/fashion.npz`,
with the script that made them and their licence. The images of the training are not shipped.
"""

from functools import cache, partial
from pathlib import Path

import numpy as np

from mcmc_bench.core.examples import Classifier, Examples
from mcmc_bench.core.target import Target
from mcmc_bench.densities.learning.density import denoiser, learned, network_of
from mcmc_bench.densities.learning.network import Network

from . import _fashion_mnist

DATA = Path(__file__).resolve().parent / "data"


@cache
def stored() -> dict[str, np.ndarray]:
    """The arrays that `data/make_fashion.py` has made."""
    with np.load(DATA / "fashion.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def network(weights: str = "") -> Network:
    """The network of the file `weights`, or the one beside the images."""
    return network_of(DATA / "fashion.weights.npz" if weights == "" else weights)


def training_set(folder: Path | None = None) -> tuple[np.ndarray, np.ndarray, dict]:
    """For `mcmc-bench train`: examples, held-out ones, and what of the recipe is their own."""
    training, held_out = (_fashion_mnist.read(part, folder)[0] / 127.5 - 1.0 for part in ("train", "t10k"))
    return (
        training,
        held_out,
        {
            "width": 448,
            "rank": 256,
            "directions": 320,
            "steps": 68_000,
            "weight_decay": 0.01,
            "cooling": 0.5,
            "lowest_noise": 0.15,
            "highest_noise": 20.0,
        },
    )


def classify(x: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Classes (n,) of images (n, 784) less `centre`, by a perceptron with one hidden layer.

    It has learned images less a mean of its own, which is not that of weights that were learned from other images.
    """
    arrays = stored()
    hidden = np.maximum((x + (centre - arrays["mean"])) @ arrays["hidden_weights"] + arrays["hidden_bias"], 0.0)
    return np.asarray((hidden @ arrays["output_weights"] + arrays["output_bias"]).argmax(axis=1), dtype=np.int64)


def build(sigma: float = 0.15, weights: str = "") -> Target:
    """The learned density of images with noise of standard deviation `sigma` on them; pixels go from −1 to 1.

    The network is computed in single precision, with which a block of 64 chains takes half the time.

    Args:
        sigma: σ, at least 0.15.
        weights: a file that `mcmc-bench train fashion` has written; the one beside the images by default.
    """
    arrays, trained = stored(), network(weights)
    mean = trained.arrays["mean"]
    if mean.shape != (784,):
        raise ValueError(f"weights = {weights} are of a network for {len(mean)} coordinates, and these images have 784")
    held_out, further = np.split(arrays["images"] / 127.5 - 1.0 - mean, int(arrays["sets"]))
    accuracy = float(arrays["classifier_accuracy"])
    return learned(
        trained,
        sigma,
        single=True,
        block_chains=64,
        examples=Examples(
            held_out=held_out,
            held_out_class=arrays["labels"][: len(held_out)].astype(np.int64),
            further=further,
            training_distance=float(arrays["nearest_training"][0]),
            classifier=Classifier(
                partial(classify, centre=mean),
                accuracy,
                "a perceptron with 128 hidden units, learned from the 60,000 images of the training; its accuracy is that "
                "on 9,200 test images that are not shipped",
            ),
            class_names=_fashion_mnist.CLASSES,
            denoised=denoiser(trained, sigma, single=True),
            shape=(28, 28),
            centre=mean,
            pixels=(-1.0, 1.0),
        ),
        tags=("learned", "real data", "high-dimensional"),
        formula="exp(−E(x, σ)), E a network whose −∇E has learned the score of images with noise σ",
        description="Real photographs in 784 dimensions: the size at which diffusion models begin, and at which a "
        "network's score has to be learned from many images to be worth following.",
        source="images: Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747; form: Karras et al. 2022, arXiv 2206.00364",
    )
