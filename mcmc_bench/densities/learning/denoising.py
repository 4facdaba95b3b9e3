"""The loss of denoising, measured with the compiled density that samplers follow.

    loss = E ‖D(x, σ) − y‖² (σ² + s²) / (σ² s² dim),   x = y + σ z,   D(x, σ) = x + σ² score(x, σ)

It is what training lowers. 1 is the loss of who knows the mean and the spread s of the examples and nothing else. The noise
has a name and not a date: the same examples have the same noise in every training and on every machine. Needs no PyTorch.
Must not know how a network is trained, nor on what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.densities.learning.network import Network
from mcmc_bench.kernels.energy_network import log_density

#: Noise levels of the loss, in equal ratios, each in the middle of its part of the range.
LEVELS = 16
#: At most so many examples, evenly picked.
EXAMPLES = 1000
#: Share of further trainings whose loss is to be expected within `to_be_expected`.
SHARE = 0.99


def noises(clean: Array, lowest: float, highest: float) -> Iterator[tuple[float, Array, Array]]:
    """For each level: σ, examples (n, dim) and z (n, dim).

    Args:
        clean: centred examples (m, dim).
        lowest: the lowest noise of the training.
        highest: the highest.
    """
    count = min(len(clean), EXAMPLES)
    picked = clean[np.linspace(0, len(clean) - 1, count).astype(np.int64)]
    edges = np.linspace(np.log(lowest), np.log(highest), LEVELS + 1)
    for level, log_sigma in enumerate(0.5 * (edges[1:] + edges[:-1])):
        yield float(np.exp(log_sigma)), picked, stream("noise of the loss", level).standard_normal(picked.shape)


def loss(network: Network, clean: Array) -> float:
    """The loss of `network` on centred examples (n, dim)."""
    each = []
    for sigma, y, z in noises(clean, network.lowest_noise, network.highest_noise):
        squared = (denoiser(network, sigma)(y + sigma * z) - y) ** 2
        each.append(squared.mean() * (sigma**-2 + network.scale**-2))
    return float(np.mean(each))


def denoiser(network: Network, sigma: float, *, single: bool = False) -> Callable[[Array], Array]:
    """E[y | x] = x + σ² ∇log p(x) for x = y + σ z (Robbins 1956, Miyasawa 1961; "Tweedie's formula").

    In single precision on request, see `Network.folded`.
    """
    data = network.folded(sigma, single=single)

    def denoised(x: Array) -> Array:
        points = np.array(x, dtype=np.float64, order="C")
        values, score = np.empty(len(points)), np.empty_like(points)
        log_density(points, values, score, data)
        return np.asarray(points + sigma**2 * score)

    return denoised


def to_be_expected(losses: Sequence[float], share: float = SHARE) -> tuple[float, float]:
    """Where the loss of one further training lies with probability `share`, by the spread of two or more others.

    The prediction interval of a normal sample: mean ± t s √(1 + 1/n).
    """
    from scipy.stats import t as student_t

    count = len(losses)
    half = student_t.ppf(0.5 * (1.0 + share), count - 1) * np.std(losses, ddof=1) * np.sqrt(1.0 + 1.0 / count)
    return float(np.mean(losses) - half), float(np.mean(losses) + half)
