"""Fixtures for samplers: small targets whose answers are known."""

import numpy as np
import pytest

from mcmc_bench.core.target import Target, point_density
from mcmc_bench.sampling.replicate import Plan, run


@point_density
def _linear(x, gradient, data):
    """A constant score: log p = Σ x, not normalisable, on which exact integrators never reject."""
    total = 0.0
    for i in range(x.shape[0]):
        gradient[i] = 1.0
        total += x[i]
    return total


@point_density
def _quartic(x, gradient, data):
    """U = Σ x⁴/4 + x²/2 − x: smooth, not Gaussian, not symmetric."""
    total = 0.0
    for i in range(x.shape[0]):
        gradient[i] = -(x[i] ** 3) - x[i] + 1.0
        total -= x[i] ** 4 / 4 + x[i] ** 2 / 2 - x[i]
    return total


def plain_target(density, dim, name):
    return Target(
        dim=dim,
        density=density,
        draw_dispersed=lambda generator, n: 2.0 * generator.standard_normal((n, dim)),
        one_point=np.zeros(dim),
        name=name,
    )


@pytest.fixture
def linear():
    return plain_target(_linear, 3, "linear")


@pytest.fixture
def quartic():
    return plain_target(_quartic, 2, "quartic")


@pytest.fixture
def equilibrium():
    """Runs a sampler from exact draws: ``equilibrium(target, sampler, settings, steps, chains, name)``."""

    def go(target, sampler, settings, steps, chains, name, **more):
        return run(
            target, sampler, settings, Plan(0, steps), chains=chains, start="exact", names=("test", name), **more
        )

    return go
