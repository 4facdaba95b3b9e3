"""Is a kernel exact? Everything that is tested of one sampler, in stages, with one rate of false alarms for the whole.

An exact kernel, started from independent exact draws, does not move the distribution: the ranks of its states among fresh
exact draws stay uniform. A kernel that never moves, or never refreshes its momentum, keeps it too, so that it must also
forget a wrong start. Proposals that are accepted by a Metropolis ratio are balanced one against the other, whatever the
target; Hamiltonian flows come back and keep volume; kernels without a correction must have just the bias that is
predicted. Knows samplers by their contract. Must not know any particular one.

Sources: Gandy and Scott 2020, arXiv 2001.06465 (ranks, sequential); Neal 2011, arXiv 1206.1901 (energy errors).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.catalog import load_target
from mcmc_bench.draws import Draws
from mcmc_bench.plan import Plan
from mcmc_bench.sampler import Sampler
from mcmc_bench.sampling import run
from mcmc_bench.streams import stream
from mcmc_bench.target import StartName, Target
from mcmc_bench.tuning import Tuning
from mcmc_bench.verification.findings import Finding, mean_zero, same_law, within
from mcmc_bench.verification.targets import functionals, gaussian, verification_targets

Array = npt.NDArray[np.float64]

#: Family-wise rate of false alarms of one call.
ALPHA = 1e-6
#: Independent chains of the stages; an error that is large is seen in the first. Every stage has an equal part of ALPHA.
STAGES = (2048, 8192, 32768)
#: The most tests that one stage can consist of: ALPHA is divided by it, so that skipping some cannot raise the rate.
TESTS = 60
#: Transitions from exact draws, after which nothing may have moved.
TRANSITIONS = 6
#: Transitions after which a kernel has to have forgotten a wrong start, on targets of few dimensions; fewer where a
#: transition costs more than FORGET_EVALUATIONS / FORGET.
FORGET, FORGET_EVALUATIONS = 400, 6000
#: The share of the tuned step at which flows are followed: at a coarse one some starts fly off on curved targets.
FLOW_STEP = 0.2
#: Fresh exact draws for each chain.
REFERENCE = 4
#: The acceptance to which correctable kernels are tuned: where a fifth or half is refused, a wrong ratio shows.
ACCEPTANCE = 0.6
#: Energy errors up to here are looked at one against the other: beyond, exponentials have no variance.
BALANCED = 3.0
#: How far the law of a kernel whose bias has no closed form may be off when its step is small, in a share.
SMALL_BIAS, SMALL_STEP_GOAL = 0.02, 0.01

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Verification:
    """Everything that was found about one sampler."""

    sampler: str
    settings: Mapping[str, Mapping[str, float]]  # by target
    findings: list[Finding] = field(default_factory=list)
    chains: int = 0  # of the last stage that was run

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return all(finding.passed for finding in self.findings)


def verify(
    sampler: Sampler, settings: Mapping[str, Any] | None = None, *, stages: tuple[int, ...] = STAGES,
    seed: str = "verify", progress: Progress | None = None,
) -> Verification:  # fmt: skip
    """Test one sampler.

    Args:
        sampler: the sampler.
        settings: the rest are tuned where the sampler says how, and keep their defaults otherwise.
        stages: numbers of chains; the first stage with a failure is the last.
        seed: the name of the random streams.
        progress: called with what is done, the steps that are behind and their number.

    Returns:
        All findings of the last stage. The probability that an exact kernel fails any of them is at most `ALPHA`.
    """
    session = _Session(sampler, dict(settings or {}), ALPHA / len(stages) / TESTS, seed, progress or _silent)
    result = Verification(sampler.name, {})
    for number, chains in enumerate(stages):
        findings = session.stage(number, chains, len(stages))
        result = Verification(sampler.name, session.tuned, findings, chains)
        if not result.passed:
            break
    return result


def _silent(what: str, done: int, count: int) -> None:
    """No progress."""


class _Session:
    def __init__(self, sampler: Sampler, settings: dict[str, Any], level: float, seed: str, progress: Progress) -> None:
        self.sampler, self.settings, self.level = sampler, settings, level
        self.seed, self.progress = seed, progress
        self.tuned: dict[str, Mapping[str, float]] = {}
        self.stages_done = 0

    def stage(self, number: int, chains: int, stages: int) -> list[Finding]:
        """All tests with so many chains."""
        sampler = self.sampler
        checks: list[Callable[[int, int], list[Finding]]] = []
        if sampler.kind in ("exact", "oracle"):
            checks += [self.keeps] if sampler.begins_in_equilibrium else []
            checks += [self.forgets]
        else:
            checks += [self.bias]
        found: list[Finding] = []
        for index, check in enumerate(checks):
            self.progress(f"{sampler.name}: {check.__name__}, {chains} chains", number * 3 + index, stages * 3)
            found += check(number, chains)
        return found + (self.flow() if sampler.flow is not None else [])

    # ---- sampling ----

    def applicable(self) -> list[Target]:
        return [target for target in verification_targets() if not self.sampler.why_not(target)]

    def on(self, target: Target) -> Mapping[str, float]:
        """The settings on a target: those that are given, the rest tuned to a coarse step."""
        if target.label not in self.tuned:
            self.tuned[target.label] = self._tuned(target, ACCEPTANCE, ("acceptance",))
        return self.tuned[target.label]

    def _tuned(self, target: Target, goal: float, rules: tuple[str, ...]) -> Mapping[str, float]:
        sampler = self.sampler
        if sampler.adaptation is None or sampler.adaptation.rule not in rules:
            return sampler.complete(self.settings)
        coarse = replace(sampler, adaptation=replace(sampler.adaptation, goal=goal, trajectory=None, metric=False))
        start: StartName = "dispersed" if target.draw_exact is None else "exact"
        draws = run(
            target, coarse, self.settings, Plan(0, 1), chains=64, start=start,
            names=(self.seed, "tuning", target.label), tuning=Tuning(1500, metric="none"),
        )  # fmt: skip
        return sampler.complete({**self.settings, **draws.tuned})

    def draws(self, target: Target, settings: Mapping[str, float], plan: Plan, start: Array, purpose: str) -> Draws:
        return run(
            target, self.sampler, settings, plan, chains=len(start), start=start,
            names=(self.seed, purpose, target.label),
        )  # fmt: skip

    def exact(self, target: Target, n: int, purpose: str) -> Array:
        assert target.draw_exact is not None
        return np.ascontiguousarray(target.draw_exact(stream(self.seed, purpose, target.label), n))

    def forgetting(self, settings: Mapping[str, float]) -> Plan:
        """How long a kernel has to forget its start."""
        return Plan(max(1, min(FORGET, int(FORGET_EVALUATIONS / self.sampler.evaluations_per_step(settings)))), 1)

    def compare(self, check: str, target: Target, x: Array, reference: Array, margin: float = 0.0) -> list[Finding]:
        ours, theirs = functionals(target, x), functionals(target, reference)
        return [
            same_law(check, f"{name} on {target.label}", ours[name], theirs[name], self.level, margin) for name in ours
        ]

    # ---- checks ----

    def keeps(self, number: int, chains: int) -> list[Finding]:
        """From exact draws, a few transitions leave the distribution where it was; proposals balance."""
        found = []
        for target in self.applicable():
            start = self.exact(target, chains, f"start {number}")
            draws = self.draws(target, self.on(target), Plan(0, TRANSITIONS), start, f"keeps {number}")
            fresh = self.exact(target, REFERENCE * chains, f"fresh {number}")
            found += self.compare("keeps its target", target, draws.end, fresh)
            if self.sampler.metropolised and self.sampler.energy_error_is_log_ratio:
                found += self.balance(target, draws)
        return found

    def balance(self, target: Target, draws: Draws) -> list[Finding]:
        """In equilibrium the energy error s of proposals has a density with f(−s) = e^{−s} f(s).

        So E min(1, e^{−s}) = 2 P(s < 0), and E (e^{−s} − 1) over |s| < c is 0 for any c: E e^{−s} = 1, with a variance.
        """
        first = draws.energy_error[:, 0]
        error = np.where(np.isnan(first), np.inf, first)
        with np.errstate(over="ignore"):
            share = np.minimum(1.0, np.exp(-error)) - 2.0 * (error < 0) - (error == 0)
            ratio = np.where(np.abs(error) < BALANCED, np.exp(-np.clip(error, -BALANCED, BALANCED)) - 1.0, 0.0)
        what = f"on {target.label}"
        return [
            mean_zero("proposals balance", f"E min(1, e^−ΔH) = 2 P(ΔH < 0) {what}", share, self.level),
            mean_zero("proposals balance", f"E e^−ΔH = 1 {what}", ratio, self.level),
        ]

    def forgets(self, number: int, chains: int) -> list[Finding]:
        """From starts that are far too wide and off centre, the target is reached."""
        target = gaussian()
        if self.sampler.why_not(target):
            return []
        chains = min(chains, STAGES[1])
        targets = [target] if self.sampler.begins_in_equilibrium else self.applicable()
        found = []
        for one in targets:
            exact = self.exact(one, chains, f"wide {number}")
            start = exact if not self.sampler.begins_in_equilibrium and one is not target else 2.0 * exact + 1.0
            if self.sampler.kind == "oracle":
                start = exact
            draws = self.draws(one, self.on(one), self.forgetting(self.on(one)), start, f"forgets {number}")
            fresh = self.exact(one, REFERENCE * chains, f"fresh for a wrong start {number}")
            found += self.compare("forgets a wrong start", one, draws.end, fresh)
        return found

    def bias(self, number: int, chains: int) -> list[Finding]:
        """A kernel without a correction has the bias that is predicted, or none when its step is small."""
        sampler, found = self.sampler, []
        target = gaussian()
        if not sampler.why_not(target):
            settings: Mapping[str, float] = sampler.complete(self.settings)
            expected = self.predicted(target, settings, chains, number)
            margin = 0.0
            if expected is None:
                # On more dimensions than three, where microcanonical motion is what it is in the limit.
                target = load_target("gaussian", dim=10)
                settings = self._tuned(target, SMALL_STEP_GOAL, ("energy",))
                expected, margin = self.exact(target, REFERENCE * chains, f"fresh {number}"), SMALL_BIAS
            self.tuned[target.label] = settings
            chains = min(chains, STAGES[1])
            start = self.exact(target, chains, f"bias {number}")
            draws = self.draws(target, settings, self.forgetting(settings), start, f"bias {number}")
            check = "predicted bias" if margin == 0.0 else "no bias at a small step"
            if sampler.kind == "optimiser":
                worst = (
                    float(np.abs(draws.end - target.modes.locations[0]).max()) if target.modes is not None else np.inf
                )
                found.append(within("climbs to the peak", f"largest distance on {target.label}", worst, 1e-3))
            else:
                found += self.compare(check, target, draws.end, expected, margin)
        if sampler.balance is not None:
            found += self.balanced(number, min(chains, STAGES[1]))
        return found

    def predicted(self, target: Target, settings: Mapping[str, float], chains: int, number: int) -> Array | None:
        """Draws of the law in closed form on the Gaussian: exact ones, stretched along its axes."""
        if self.sampler.stationary_variance is None:
            return None
        fresh = self.exact(target, REFERENCE * chains, f"predicted {number}")
        eigenvalues, axes = np.linalg.eigh(target.data.reshape(target.dim, target.dim))
        variance = np.asarray(self.sampler.stationary_variance(settings, eigenvalues))
        return np.asarray(fresh @ axes * np.sqrt(variance * eigenvalues) @ axes.T)

    def balanced(self, number: int, chains: int) -> list[Finding]:
        """The identity that the sampler declares for its own stationary law, on a target that is not Gaussian."""
        names = ("quartic", "breast_cancer_logistic")
        target = next(t for t in (load_target(name) for name in names) if not self.sampler.why_not(t))
        assert self.sampler.balance is not None
        settings = self.sampler.complete(self.settings)
        chains = chains if target.draw_exact is not None else min(chains, 1024)
        start = target.starts("dispersed" if target.draw_exact is None else "exact", stream(self.seed, number), chains)
        draws = self.draws(
            target, settings, Plan(FORGET if chains > 1024 else 5 * FORGET, 1), start, f"balance {number}"
        )
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # what is not finite is a failure of the test, and said there
            values = self.sampler.balance(settings, target, draws.end)
        return [mean_zero("balance of its own law", f"E (‖x'‖² − ‖x‖²) on {target.label}", values, self.level)]

    def flow(self) -> list[Finding]:
        """The deterministic part comes back when the momentum is turned round, and keeps volume."""
        assert self.sampler.flow is not None
        flow, found = self.sampler.flow, []
        for target in self.applicable():
            settings = dict(self.on(target))
            if "step_size" in settings:
                settings["step_size"] *= FLOW_STEP
            generator = stream(self.seed, "flow", target.label)
            q, p = self.exact(target, 32, "flow"), generator.standard_normal((32, target.dim))
            q_end, p_end = flow(target, settings, q, p)
            q_back, p_back = flow(target, settings, q_end, -p_end)
            scale = 1.0 + np.abs(q_end).max() + np.abs(p_end).max()
            error = max(float(np.abs(q_back - q).max()), float(np.abs(p_back + p).max())) / scale
            found.append(within("comes back", f"on {target.label}", error, 1e-6))
            found.append(
                within("keeps volume", f"on {target.label}", _volume_error(flow, target, settings, q[:1], p[:1]), 1e-4)
            )
        return found


def _volume_error(flow: Any, target: Target, settings: Mapping[str, float], q: Array, p: Array) -> float:
    """| |det J| − 1 | by central differences at one point."""
    dim, step = target.dim, 1e-5
    z = np.concatenate([q, p], axis=1)
    columns = []
    for i in range(2 * dim):
        ends = []
        for sign in (1.0, -1.0):
            moved = z.copy()
            moved[0, i] += sign * step
            ends.append(np.concatenate(flow(target, settings, moved[:, :dim].copy(), moved[:, dim:].copy()), axis=1)[0])
        columns.append((ends[0] - ends[1]) / (2.0 * step))
    return float(abs(abs(np.linalg.det(np.array(columns).T)) - 1.0))
