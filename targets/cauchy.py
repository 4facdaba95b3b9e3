"""Cauchy in each coordinate: no mean, no variance; only quantiles and log p can be compared with the truth."""

import dataclasses

from mcmc_bench.core.target import Target

from . import student_t


def build(dim: int = 2) -> Target:
    """Independent Cauchy coordinates: Student's t with one degree of freedom.

    E[−log p] of the normalised density is log 4π per dimension, with a standard deviation of π/√3 of its own.

    Args:
        dim: dimension.
    """
    return dataclasses.replace(
        student_t.build(dim, degrees_of_freedom=1.0),
        formula="p(x) ∝ Π 1/(1 + xᵢ²)",
        description="No moments at all: every metric has to cope with quantiles alone.",
        source="closed form",
    )
