"""Targets whose density is a network that has learned it from examples, at a noise level of one's choice.

What target files call, those that `mcmc-bench train` writes too. Must not know what the examples are.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.core.examples import Examples
from mcmc_bench.core.target import Target
from mcmc_bench.densities.learning import own_examples
from mcmc_bench.densities.learning.denoising import denoiser
from mcmc_bench.densities.learning.network import Network, WeightsError, read
from mcmc_bench.kernels.energy_network import log_density

__all__ = ["denoiser", "from_files", "learned", "network_of"]


def learned(network: Network, sigma: float, *, single: bool = False, **about: Any) -> Target:
    """The density exp(−E(x, σ)) of `network` in centred coordinates; `about` is what else is said of the target.

    Args:
        network: what has been learned.
        sigma: σ, the noise on the examples.
        single: compute the network in single precision: half the time, for large ones.
        about: further fields of `Target`.

    Raises:
        ValueError: a σ that the network does not know.
    """
    return Target(
        dim=network.dim,
        density=log_density,
        data=network.folded(sigma, single=single),
        double=(lambda: learned(network, sigma, **about)) if single else None,
        smoothed=lambda further: network.folded(float(np.hypot(sigma, further)), single=single),
        # Where noise drowns the data, the density is this Gaussian, a little wider.
        draw_dispersed=lambda generator, n: 1.2 * network.gaussian(generator.standard_normal((n, network.dim)), sigma),
        one_point=np.zeros(network.dim),  # the mean of the examples
        **about,
    )


def network_of(weights: str | Path) -> Network:
    """The network of a weights file, which is read again when it has changed: after a further training, for example.

    Raises:
        WeightsError: not the name of a file, or `read` refuses the file.
    """
    if not isinstance(weights, str | Path):
        raise WeightsError(f"weights = {weights!r} must be the name of a file that `mcmc-bench train` has written")
    return _network(_version(Path(weights)))


def from_files(stem: Path, sigma: float | None = None) -> Target:
    """The target that `mcmc-bench train NAME --data FILE` has learned.

    Coordinates are those of the data, less their mean.

    Args:
        stem: NAME in its folder; `NAME.weights.npz` and `NAME.examples.npz` are read.
        sigma: σ, the noise on the examples; None is the lowest that was learned.

    Raises:
        WeightsError: a file is missing, damaged, or does not belong to the other.
    """
    network, stored = (
        network_of(own_examples.beside(stem, own_examples.WEIGHTS)),
        _examples(_version(own_examples.beside(stem, own_examples.EXAMPLES))),
    )
    if own_examples.flat(stored).shape[1] != network.dim:
        raise WeightsError(
            f"{own_examples.beside(stem, own_examples.EXAMPLES)} has {own_examples.flat(stored).shape[1]} coordinates and the weights beside it "
            f"{network.dim}: they are of two trainings; train again with `mcmc-bench train`"
        )
    mean = network.arrays["mean"]
    training, held_out = own_examples.split(own_examples.flat(stored) - mean)
    sigma = network.lowest_noise if sigma is None else sigma
    return learned(
        network,
        sigma,
        examples=Examples(
            training=training,
            held_out=held_out,
            training_class=None,
            held_out_class=None,
            denoised=denoiser(network, sigma),
            shape=stored.shape[1:] if stored.ndim == 3 else None,
            centre=mean,
            pixels=(float(stored.min()), float(stored.max())),
        ),
        tags=("learned",),
        formula="exp(−E(x, σ)), E a network whose −∇E has learned the score of examples with noise σ",
        description=f"Learned from {len(training)} examples.",
        source=str(network.provenance.get("made by", "")),
    )


def _version(file: Path) -> tuple[Path, tuple[int, ...] | None]:
    """A file, and what differs when it has been written again; None where there is none, as reading it will tell."""
    try:
        found = file.stat()
    except OSError:
        return file, None
    return file, (found.st_mtime_ns, found.st_ino, found.st_size)


@lru_cache(maxsize=8)
def _network(version: tuple[Path, tuple[int, ...] | None]) -> Network:
    return read(version[0])


@lru_cache(maxsize=8)
def _examples(version: tuple[Path, tuple[int, ...] | None]) -> Any:
    return own_examples.read_examples(version[0])
