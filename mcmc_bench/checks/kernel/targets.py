"""The targets on which kernels are verified, and what is looked at on them.

They come from the catalogue by name, with exact samplers. Must not know any particular sampler.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target

#: A correlated Gaussian, one that is curved, one with two modes, one with heavy tails.
NAMES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gaussian", {"dim": 3, "condition": 4.0}),
    ("banana", {}),
    ("song_ermon", {}),
    ("student_t", {}),
)
#: One with more dimensions, where no more than that can be asked of a kernel than to stay.
LARGE: tuple[str, dict[str, Any]] = ("gaussian", {"dim": 20, "condition": 10.0})
#: Those that a chain crosses slowly: looked at again after more transitions.
SLOW = ("banana", "song_ermon")
#: Where the distribution of one transition is tested: not Gaussian; the first that a kernel applies to.
NOT_GAUSSIAN = ("quartic", "breast_cancer_logistic")


def verification_targets() -> list[Target]:
    """All of few dimensions."""
    return [load_target(name, **parameters) for name, parameters in NAMES]


def large_target() -> Target:
    """The Gaussian of more dimensions."""
    name, parameters = LARGE
    return load_target(name, **parameters)


def gaussian() -> Target:
    """The Gaussian on which closed forms are known."""
    name, parameters = NAMES[0]
    return load_target(name, **parameters)


def not_gaussian() -> list[Target]:
    """Those for the distribution of one transition."""
    return [load_target(name) for name in NOT_GAUSSIAN]


def functionals(target: Target, x: Array) -> dict[str, Array]:
    """The functionals that are compared, by name: log density, coordinates, products of neighbours, Stein; (n,) each of points (n, dim).

    At most six coordinates are looked at, evenly spread. "Stein" is div v + v·∇log p for the field v = a sin(a·x), whose
    expectation is zero under the target and whose distribution is like any other's. Points that are not finite give NaN.
    """
    finite = np.isfinite(x).all(axis=1)
    log_density, stein = np.full(len(x), np.nan), np.full(len(x), np.nan)
    centre, scale = _centre_and_scale(target)
    a = stream("stein", target.label).standard_normal(target.dim) / (scale * np.sqrt(target.dim))
    if finite.any():
        log_density[finite], gradient = target.log_density_and_gradient(x[finite])
        phase = x[finite] @ a
        stein[finite] = (a @ a) * np.cos(phase) + np.sin(phase) * (gradient @ a)
    found = {"log density": log_density}
    looked_at = np.unique(np.linspace(0, target.dim - 1, min(target.dim, 6)).round().astype(int))
    for i in looked_at:
        found[f"x{i + 1}"] = x[:, i]
    for i in looked_at[looked_at < target.dim - 1]:
        found[f"x{i + 1}·x{i + 2}"] = (x[:, i] - centre[i]) * (x[:, i + 1] - centre[i + 1])
    return {**found, "Stein": stein}


def _centre_and_scale(target: Target) -> tuple[Array, Array]:
    """Mean and standard deviation of each coordinate, (dim,) each; 0 and 1 where they are not known."""
    if target.truth is None:
        return np.zeros(target.dim), np.ones(target.dim)
    centre = np.where(np.isfinite(target.truth.mean), target.truth.mean, 0.0)
    variance = target.truth.second_moment - centre**2
    return centre, np.sqrt(np.where(np.isfinite(variance) & (variance > 0), variance, 1.0))
