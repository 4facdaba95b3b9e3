"""Isokinetic motion: the momentum keeps its length and only turns.

    p = e^K u with ‖u‖ = 1; the density sampled is that of the position alone (microcanonical Hamiltonian)

Source: Ver Steeg and Galstyan 2021, arXiv 2111.02434; Robnik, De Luca, Silverstein and Seljak 2023, arXiv 2212.08549.
Must not know any particular sampler, target or metric.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.kernels.block import evaluate, flat
from mcmc_bench.kernels.jit import FLOW_SIGNATURE, compiled, jit, jit_inline
from mcmc_bench.kernels.mathematics import exp


@jit_inline
def normalise(direction):
    """Every chain's direction (chain, dim) to unit length, in place."""
    chains, dim = direction.shape
    for chain in range(chains):
        squared = 0.0
        for i in range(dim):
            squared += direction[chain, i] * direction[chain, i]
        scale = 1.0 / np.sqrt(squared)
        for i in range(dim):
            direction[chain, i] *= scale


@jit_inline
def turn(duration, gradient, direction, kinetic_change):
    """The exact flow of u' = (I − u uᵀ) ∇log p / (d − 1) for a time; adds (d − 1) Δ log ‖p‖ to `kinetic_change` (chain,).

    With e = g/‖g‖, c = e·u and δ = t ‖g‖/(d − 1): u ← (u + e (sinh δ + c (cosh δ − 1))) / (cosh δ + c sinh δ), written with
    ζ = e^{−δ} so that nothing overflows.
    """
    chains, dim = direction.shape
    for chain in range(chains):
        squared = along = 0.0
        for i in range(dim):
            squared += gradient[chain, i] * gradient[chain, i]
            along += gradient[chain, i] * direction[chain, i]
        norm = np.sqrt(squared)
        if norm == 0.0:
            continue
        along /= norm
        delta = duration * norm / (dim - 1)
        zeta = exp(-delta)
        stretch = 1.0 + along + (1.0 - along) * zeta * zeta  # 2 ζ (cosh δ + c sinh δ)
        toward = (1.0 - zeta) * (1.0 + zeta + along * (1.0 - zeta)) / norm
        for i in range(dim):
            direction[chain, i] = (2.0 * zeta * direction[chain, i] + toward * gradient[chain, i]) / stretch
        kinetic_change[chain] += (dim - 1) * (delta + np.log(0.5 * stretch))
    normalise(direction)  # against rounding


@jit
def isokinetic_leapfrog(
    target, data, step_size, num_steps, position, direction, log_density, gradient, kinetic_change, evaluations
):
    """`num_steps` steps of a block, in place: half a turn, drift, half a turn. `kinetic_change` (chain,) is added to."""
    q, u = flat(position), flat(direction)
    for _ in range(num_steps):
        turn(0.5 * step_size, gradient, direction, kinetic_change)
        for j in range(q.shape[0]):
            q[j] += step_size * u[j]
        evaluate(target, data, position, log_density, gradient, evaluations)
        turn(0.5 * step_size, gradient, direction, kinetic_change)


@jit
def flow(target, data, step_size, num_steps, position, direction, log_density, gradient, kinetic_change, evaluations):
    """`isokinetic_leapfrog`, called from outside, for which it is compiled once and for all."""
    isokinetic_leapfrog(
        target, data, step_size, num_steps, position, direction, log_density, gradient, kinetic_change, evaluations
    )


def isokinetic_flow(target, settings, position, momentum):
    """The end of `num_integration_steps` steps (10 where there is no such setting); (chain, dim) each.

    The motion is that of position and direction; a momentum p = r u makes a flow of it that keeps volume if, and only if,
    the direction changes volume on the sphere by e^{−ΔK}: log r grows by ΔK/d, ΔK = (d − 1) Δ log ‖p‖.
    """
    length = np.linalg.norm(momentum, axis=1, keepdims=True)
    q, u = position.copy(), momentum / length
    log_density, gradient = target.log_density_and_gradient(q)
    steps = int(settings.get("num_integration_steps", 10))
    kinetic_change, evaluations = np.zeros(len(q)), np.zeros(1, dtype=np.int64)
    follow = compiled(flow, FLOW_SIGNATURE)
    follow(
        target.pointer,
        target.data,
        settings["step_size"],
        steps,
        q,
        u,
        log_density,
        gradient,
        kinetic_change,
        evaluations,
    )
    return q, u * length * np.exp(kinetic_change / target.dim)[:, None]
