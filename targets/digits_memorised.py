"""The training images of `digits` and nothing else, smoothed: the exact counterpart of what the network has learned.

A perfect learner of these images' score, who is not told that there are others, would know this density. Samplers that
follow it to the end give training images back: it memorises.
"""

from functools import cache

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target, Truth

from ._digits import examples_with, network, training_set
from ._empirical import data_of, log_density, truth_of
from ._tweedie import denoiser


def training_images() -> Array:
    """mₖ (n, 64), in the coordinates of `digits`."""
    return training_set()[0] - network().arrays["mean"]


@cache
def truth(sigma: float) -> Truth:
    """A second's work, kept."""
    return truth_of(training_images(), sigma, stream("truth", "digits_memorised", sigma))


def build(sigma: float = 0.75) -> Target:
    """The training images with noise of standard deviation `sigma` on them.

    Args:
        sigma: σ, at least 0.01.
    """
    if not 0.01 <= sigma < np.inf:
        raise ValueError(f"sigma = {sigma} must be finite and at least 0.01")
    points = training_images()
    data = data_of(points, sigma)
    # A little wider than the widest pixel.
    width = 1.2 * np.hypot(points.std(axis=0).max(), sigma)

    def exact(generator: np.random.Generator, n: int) -> Array:
        return points[generator.integers(len(points), size=n)] + sigma * generator.standard_normal((n, points.shape[1]))

    return Target(
        dim=points.shape[1],
        density=log_density,
        data=data,
        smoothed=lambda further: data_of(points, float(np.hypot(sigma, further))),
        draw_exact=exact,
        draw_dispersed=lambda generator, n: width * generator.standard_normal((n, points.shape[1])),
        one_point=np.zeros(points.shape[1]),  # the mean image
        truth=truth(float(sigma)),
        examples=examples_with(denoiser(log_density, data, sigma)),
        tags=("multimodal", "real data", "high-dimensional"),
        formula="p(x) = 1/n Σₖ N(x; mₖ, σ² I), mₖ the n training images",
        description="What a perfect learner would know that only memorises: beside digits it shows that the network has "
        "learned something else.",
        source="images: Alpaydin and Kaynak 1998, doi 10.24432/C50P49; the memorising score: Vincent 2011, doi "
        "10.1162/NECO_a_00142",
    )
