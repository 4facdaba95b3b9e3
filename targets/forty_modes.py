"""Forty modes scattered over a large square: the benchmark of learned samplers, at its published locations."""

import numpy as np

from mcmc_bench.core.target import Target

from .gaussian_mixture import mixture


def published_locations() -> np.ndarray:
    """The locations (40, 2), uniform on [−40, 40]², that everyone uses.

    They are ``80 · torch.rand((40, 2)) − 40`` after ``torch.manual_seed(0)``: the low 24 bits of successive words of
    the Mersenne twister seeded with 0, which NumPy's legacy generator gives without torch.
    """
    words = np.random.RandomState(0).randint(0, 2**32, size=80, dtype=np.uint32)
    return (80.0 * (words & 0xFFFFFF) / 2**24 - 40.0).reshape(40, 2)


def build() -> Target:
    """Σ N(mₖ, s² I)/40 with s = log(1 + e).

    A tenth of the mass lies where components overlap. Each point belongs to the component that is most responsible
    for it, and the weights of the modes are the shares that so belong to them, not 1/40 to the last digit.
    """
    return mixture(
        published_locations(),
        np.ones(40),
        np.log1p(np.e),  # softplus(1), the published scale
        one_point=np.zeros(2),
        formula="Σ N(mₖ, s² I)/40, mₖ uniform on [−40, 40]², s = log(1 + e)",
        description="Too many modes, too far apart for local moves: what tempering and learned samplers are for.",
        source="Midgley et al. 2022, arXiv 2208.01893",
    )
