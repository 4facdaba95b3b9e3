"""The targets on which kernels are verified, and what is looked at on them.

They come from the catalogue by name, with exact samplers. Must not know any particular sampler.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.catalog import load_target
from mcmc_bench.target import Target

Array = npt.NDArray[np.float64]

#: A correlated Gaussian, one that is curved, one with two modes, one with heavy tails.
NAMES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gaussian", {"dim": 3, "condition": 4.0}),
    ("banana", {}),
    ("song_ermon", {}),
    ("student_t", {}),
)
GAUSSIAN = NAMES[0]


def verification_targets() -> list[Target]:
    """All of them."""
    return [load_target(name, **parameters) for name, parameters in NAMES]


def gaussian() -> Target:
    """The Gaussian on which closed forms are known."""
    name, parameters = GAUSSIAN
    return load_target(name, **parameters)


def functionals(target: Target, x: Array) -> dict[str, Array]:
    """What is compared, by name: log density, coordinates, products of neighbours; (n,) each of points (n, dim).

    At most six coordinates are looked at. Points that are not finite give NaN.
    """
    finite = np.isfinite(x).all(axis=1)
    log_density = np.full(len(x), np.nan)
    if finite.any():
        log_density[finite] = target.log_density_and_gradient(x[finite])[0]
    found = {"log density": log_density}
    dims = min(target.dim, 6)
    centre = target.truth.mean if target.truth is not None else np.zeros(target.dim)
    centre = np.where(np.isfinite(centre), centre, 0.0)
    for i in range(dims):
        found[f"x{i + 1}"] = x[:, i]
    for i in range(dims - 1):
        found[f"x{i + 1}·x{i + 2}"] = (x[:, i] - centre[i]) * (x[:, i + 1] - centre[i + 1])
    return found
