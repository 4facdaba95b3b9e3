"""What is tested of the deterministic part of a Hamiltonian kernel: it comes back, and keeps volume.

No chance is in it, only rounding. Knows samplers by their contract. Must not know any particular one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.streams import stream
from mcmc_bench.target import Target
from mcmc_bench.verification.exact import applicable
from mcmc_bench.verification.findings import Finding, within
from mcmc_bench.verification.session import Session
from mcmc_bench.verification.targets import verification_targets

Array = npt.NDArray[np.float64]

#: The share of the tuned step at which flows are followed: at a coarse one some starts fly off on curved targets.
FLOW_STEP = 0.2


def flow(session: Session) -> list[Finding]:
    """The flow comes back when the momentum is turned round, and keeps volume."""
    follow, found = session.sampler.flow, []
    assert follow is not None
    for target in applicable(session, verification_targets()):
        settings = dict(session.on(target))
        if "step_size" in settings:
            settings["step_size"] *= FLOW_STEP
        generator = stream(session.seed, "flow", target.label)
        q, p = session.exact(target, 32, "flow"), generator.standard_normal((32, target.dim))
        q_end, p_end = follow(target, settings, q, p)
        q_back, p_back = follow(target, settings, q_end, -p_end)
        scale = 1.0 + np.abs(q_end).max() + np.abs(p_end).max()
        error = float(np.maximum(np.abs(q_back - q), np.abs(p_back + p)).max() / scale)
        found.append(within("comes back", f"on {target.label}", error, 1e-6))
        found.append(
            within("keeps volume", f"on {target.label}", volume_error(follow, target, settings, q[:1], p[:1]), 1e-4)
        )
    return found


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
