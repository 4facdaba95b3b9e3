"""The law that a sampler should give on a target at its settings: the truth, a closed form, or nothing that is known.

Knows the contracts of samplers and targets. Must not know any particular one of either, nor how draws are measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target

#: Up to this many times its true variance a mode among others is still one of its own.
WIDEST_SEPARATE = 1.3
#: Transitions discarded from exact starts after which a stationary law in closed form is what draws have. Along an
#: eigenvector the bias that the law has is of order ε λ, and what is missing of it of order ε λ (1 − ε λ)^(2 n), at
#: most 1 / (2 e n): below 0.2 % of the variance.
SETTLED = 100


def predictions(sampler: Sampler, settings: Mapping[str, float], target: Target) -> dict[str, float]:
    """Closed forms for metrics of a cell, where there are any.

    The spread within modes for targets made of well-separated Gaussians; the mean acceptance on one isotropic
    Gaussian at temperature 1.
    """
    modes = target.modes
    found: dict[str, float] = {}
    if modes is None or modes.precision is None:
        return found
    if sampler.stationary_variance is not None:
        true = (1.0 / modes.precision).sum(axis=1)
        with np.errstate(over="ignore"):
            stationary = np.array([sampler.stationary_variance(settings, row).sum() for row in modes.precision])
        ratio = float(modes.weights @ stationary / (modes.weights @ true))
        # Where modes are several, the closed form is that of one alone: wider, and draws leave for the neighbours.
        if np.isfinite(ratio) and (len(modes.weights) == 1 or ratio <= WIDEST_SEPARATE):
            found["within_mode_variance_ratio"] = ratio
    isotropic = len(modes.weights) == 1 and np.ptp(modes.precision) <= 1e-9 * modes.precision.max()
    if sampler.mean_acceptance is not None and isotropic and settings.get("temperature", 1.0) == 1.0:
        acceptance = sampler.mean_acceptance(settings, float(modes.precision[0, 0]), target.dim)
        if np.isfinite(acceptance):
            found["acceptance_rate"] = acceptance
    return found


def of_cell(
    sampler: Sampler, settings: Mapping[str, float], target: Target, start: str, warmup: int, exact: Array | None
) -> tuple[Literal["truth", "closed form", ""], tuple[Array, Array] | None]:
    """Where it is known what the draws of a cell should be, and for a closed form draws from that law.

    An exact kernel started from exact draws has the target's law at every step, however slowly it mixes, and so does
    the oracle. A biased one on a single Gaussian has the stationary law of its closed form after `SETTLED`
    transitions from exact starts. Anything else carries a transient or a bias that only another run can tell.

    Args:
        sampler: the sampler.
        settings: all of its settings.
        target: the target.
        start: the kind of start.
        warmup: transitions that are discarded.
        exact: exact draws of the target, (n, dim), or None.

    Returns:
        Where from, and for "closed form" draws (n, dim) from the law with their log density (n,).
    """
    at_its_temperature = settings.get("temperature", 1.0) == 1.0
    if sampler.kind == "oracle" or (sampler.kind == "exact" and start == "exact" and at_its_temperature):
        return "truth", None
    modes = target.modes
    gaussian = modes is not None and len(modes.weights) == 1 and modes.precision is not None
    if not gaussian or sampler.stationary_variance is None or start != "exact" or warmup < SETTLED or exact is None:
        return "", None
    points = _stationary(sampler, settings, target, exact)
    if points is None:
        return "", None
    return "closed form", (points, target.log_density_and_gradient(points)[0])


def _stationary(sampler: Sampler, settings: Mapping[str, float], target: Target, exact: Array) -> Array | None:
    """`exact` draws of a Gaussian, stretched along its principal axes to the sampler's stationary variances.

    None where those are not finite and positive. The gradient of a Gaussian is linear: −Λ (x − μ), so that
    evaluating it at the unit vectors gives Λ.
    """
    assert sampler.stationary_variance is not None
    assert target.modes is not None
    centre = target.modes.locations[0]
    at_centre = target.log_density_and_gradient(centre[None])[1]
    precision = at_centre - target.log_density_and_gradient(centre + np.eye(target.dim))[1]
    eigenvalues, axes = np.linalg.eigh((precision + precision.T) / 2.0)
    variance = np.asarray(sampler.stationary_variance(settings, eigenvalues))
    if not (np.isfinite(variance) & (variance > 0)).all():
        return None
    return centre + ((exact - centre) @ axes * np.sqrt(variance * eigenvalues)) @ axes.T
