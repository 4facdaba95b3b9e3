"""Tests of kernels that leave their target as it is.

From independent exact draws nothing moves, and proposals balance; from a wrong start the target is reached, since a kernel
that never moves, or never refreshes its momentum, keeps it too. Knows samplers by their contract.

Sources: Gandy and Scott 2020, arXiv 2001.06465 (ranks, sequential); Neal 2011, arXiv 1206.1901 (energy errors).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mcmc_bench.checks.kernel.findings import ROUNDING, KernelFinding, at_rest, balanced_signs, fall, same_distribution
from mcmc_bench.checks.kernel.session import ChainPath, Session
from mcmc_bench.checks.kernel.targets import SLOW, functionals, gaussian, large_target, verification_targets
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.budget import Plan

#: Transitions from exact draws, after which nothing may have moved; and on targets that are crossed slowly, by so many of
#: the chains.
TRANSITIONS, LATE, LATE_CHAINS = 6, 50, 8192
#: A start is given up after so many doublings of the time in which it should be forgotten.
DOUBLINGS = 3
#: Two looks at the same chains differ if one functional rises or falls too often for this level: no alarm by itself.
STILL_MOVING = 1e-5

KEEPS, BALANCE, FORGETS, MOVES = "keeps its target", "proposals balance", "forgets a wrong start", "moves"
FIRST = "first chains of blocks keep it too"


def applicable(session: Session, targets: list[Target]) -> list[Target]:
    """Those that have what the sampler needs."""
    return [target for target in targets if not session.sampler.incompatibility(target)]


def compare(
    check: str,
    target: Target,
    x: Array,
    reference: dict[str, Array],
    level: float,
    margin: float = 0.0,
) -> list[KernelFinding]:
    """The distribution of `x` (chain, dim) with that of exact draws, functional by functional."""
    ours = functionals(target, x)
    return [
        same_distribution(check, f"{name} on {target.label}", ours[name], reference[name], level, margin)
        for name in reference
    ]


def keeps(session: Session, chains: int, level: float) -> list[KernelFinding]:
    """From exact draws, transitions leave the distribution where it was; proposals balance."""
    found, sampler = [], session.sampler
    for target in applicable(session, [*verification_targets(), large_target()]):
        settings, reference = session.on(target), session.reference(target, chains)
        start = session.exact(target, chains, f"start {chains}")
        draws = session.draws(target, settings, Plan(0, TRANSITIONS), start, f"keeps {chains}")
        found += compare(KEEPS, target, draws.end, reference, level)
        if target.label == gaussian().label and sampler.block_chains != "all":
            # What all chains of a block share must depend on none of them. Where it does, it is mostly the first, which is
            # then wrong alone, and hardly seen among the others.
            first = draws.end[:: sampler.block_chains or target.block_chains]
            found += compare(FIRST, target, first, reference, level)
        if sampler.metropolised and sampler.energy_error_is_log_ratio:
            found += balance(target, draws.energy_error[:, 0], level)
        if target.name in SLOW and np.isfinite(draws.end).all():
            later = Plan(0, LATE - TRANSITIONS, keep=False)
            end = session.draws(target, settings, later, draws.end[:LATE_CHAINS], f"keeps longer {chains}").end
            late = compare(KEEPS, target, end, reference, level)
            found += [replace(one, what=f"{one.what} after {LATE}") for one in late]
    return found


def balance(target: Target, error: Array, level: float) -> list[KernelFinding]:
    """In equilibrium the energy error s of proposals has a density with f(−s) = e^{−s} f(s), whence E e^{−s} = 1."""
    weights: dict[str, Callable[[Array], Array]] = {
        "signs of ΔH": np.ones_like,
        "signs of large ΔH": lambda size: -np.expm1(-size),
    }
    return [
        balanced_signs(BALANCE, f"{what} on {target.label}", error, level, weight) for what, weight in weights.items()
    ]


def forgets(session: Session, chains: int, level: float) -> list[KernelFinding]:
    """From starts that are far too wide and off centre, the target is reached.

    A sampler that cannot begin in equilibrium has to reach all targets: on the others its own beginning is wrong enough.
    """
    first = gaussian()
    if session.sampler.incompatibility(first):
        return []
    found = []
    targets = [first] if session.sampler.starts_in_equilibrium else applicable(session, verification_targets())
    for target in targets:
        start = session.exact(target, chains, f"wide {chains}")
        if target.label == first.label and session.sampler.kind != "oracle":
            start = 2.0 * start + 1.0
        path = ChainPath(session, target, session.on(target), start, f"forgets {chains}")
        reference = session.reference(target, chains)

        def look(x: Array, target: Target = target, reference: dict[str, Array] = reference) -> list[KernelFinding]:
            return compare(FORGETS, target, x, reference, level)

        found += settle(path, look, level)
    return found


def settle(path: ChainPath, look: Callable[[Array], list[KernelFinding]], level: float) -> list[KernelFinding]:
    """The findings of `look` where the chains come to rest.

    A distribution that is wrong and does not change any more, or goes away from the target, is a failure. One that still changes
    when patience ends is that of a kernel that is slow, right or wrong, and inconclusive.
    """
    length = path.session.forgetting(path.settings)
    before, found = path.start, look(path.advance(length))
    for _ in range(DOUBLINGS):
        if not path.moved:
            return never_moved(path, found, level)
        if all(finding.passed for finding in found) or not np.isfinite(path.x).all():
            return found
        before = path.x
        found = look(path.advance(path.transitions))
        if not all(finding.passed for finding in found) and lost(path, before):
            return found
    return [
        finding
        if finding.passed
        else replace(
            finding,
            inconclusive=True,
            what=f"{finding.what}: still on its way after {path.transitions} transitions",
        )
        for finding in found
    ]


def lost(path: ChainPath, before: Array) -> bool:
    """True if chains that were at `before` (chain, dim) have come to rest, or go away from the target.

    Rest: all functionals rise as often as they fall. Away: the log density is lower than at the start, and still falls.
    """
    if not np.isfinite(path.x).all():
        return True
    start, one, two = (functionals(path.target, x) for x in (path.start, before, path.x))
    level, name = STILL_MOVING / len(one), "log density"
    resting = all(at_rest(one[what], two[what], level) for what in one)
    return resting or (fall(start[name], two[name], level) and fall(one[name], two[name], level))


def never_moved(path: ChainPath, found: list[KernelFinding], level: float) -> list[KernelFinding]:
    """The finding where no chain has moved at all: a fault if the kernel recorded that proposals were accepted, by ∏ (1 − a) ≤ e^{−Σa}."""
    if all(finding.passed for finding in found):
        return found
    what = f"no chain on {path.target.label} in {path.transitions} transitions, {path.accepted:.3g} accepted by its own word"
    p_value = float(np.exp(-path.accepted))
    return [KernelFinding(MOVES, what, p_value, level, 0.0, ROUNDING, np.inf, inconclusive=p_value >= level)]
