"""Tests of the deterministic part of a Hamiltonian kernel: it comes back, and keeps volume.

No chance is in it, only rounding. Knows samplers by their contract. Must not know any particular one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mcmc_bench.checks.kernel.exact import applicable
from mcmc_bench.checks.kernel.findings import KernelFinding, within
from mcmc_bench.checks.kernel.session import Session
from mcmc_bench.checks.kernel.targets import verification_targets
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target

#: Flows are followed at this share of the step, and at a quarter of that and so on until no start flies off to more than so
#: many times where it began: there is no way back through rounding that has grown.
FLOW_STEP, FLUNG, TIMES = 0.2, 20.0, 20


def flow(session: Session) -> list[KernelFinding]:
    """The flow comes back when the momentum is turned round, and keeps volume."""
    follow, found = session.sampler.flow, []
    assert follow is not None
    for target in applicable(session, verification_targets()):
        generator = stream(session.seed, "flow", target.label)
        q, p = session.exact(target, 32, "flow"), generator.standard_normal((32, target.dim))
        settings = gentle(follow, target, session.on(target), q, p)
        q_end, p_end = follow(target, settings, q, p)
        q_back, p_back = follow(target, settings, q_end, -p_end)
        scale = 1.0 + np.abs(q_end).max() + np.abs(p_end).max()
        error = float(np.maximum(np.abs(q_back - q), np.abs(p_back + p)).max() / scale)
        found.append(within("comes back", f"on {target.label}", error, 1e-6))
        found.append(
            within("keeps volume", f"on {target.label}", volume_error(follow, target, settings, q[:1], p[:1]), 1e-4)
        )
    return found


def gentle(follow: Any, target: Target, settings: Mapping[str, float], q: Array, p: Array) -> Mapping[str, float]:
    """Settings whose step is so small that the flow stays near."""
    if "step_size" not in settings:
        return settings
    bound = FLUNG * (1.0 + max(np.abs(q).max(), np.abs(p).max()))
    step = FLOW_STEP * settings["step_size"]
    for _ in range(TIMES):
        ends = follow(target, {**settings, "step_size": step}, q, p)
        if all(np.abs(end).max() < bound for end in ends):
            break
        step *= 0.25
    return {**settings, "step_size": step}


def volume_error(follow: Any, target: Target, settings: Mapping[str, float], q: Array, p: Array) -> float:
    """| |det J| − 1 | by central differences at one point."""
    dim, step = target.dim, 1e-5
    z = np.concatenate([q, p], axis=1)
    columns = []
    for i in range(2 * dim):
        ends = []
        for sign in (1.0, -1.0):
            moved = z.copy()
            moved[0, i] += sign * step
            ends.append(
                np.concatenate(follow(target, settings, moved[:, :dim].copy(), moved[:, dim:].copy()), axis=1)[0]
            )
        columns.append((ends[0] - ends[1]) / (2.0 * step))
    return float(abs(abs(np.linalg.det(np.array(columns).T)) - 1.0))
