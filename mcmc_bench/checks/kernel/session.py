"""Runs the chains that a verification looks at: settings, starts, references, and chains that go on.

Knows samplers by their contract. Must not know any particular one, nor what is tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mcmc_bench.checks.kernel.targets import functionals
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.kinds import StartName
from mcmc_bench.core.sampler import ACCEPTANCE, Sampler
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.budget import Plan
from mcmc_bench.sampling.chains import Chains, Setup
from mcmc_bench.sampling.replicate import run
from mcmc_bench.sampling.tuning.schedule import Tuning

#: Fresh exact draws for each chain: so many that their own noise adds a quarter to that of the chains.
REFERENCE = 16
#: The acceptance to which correctable kernels are tuned: where a fifth or half is refused, a wrong ratio shows.
ACCEPTANCE_GOAL = 0.6
#: What tuning may cost each chain: evaluations, and transitions, so that long trajectories get rounds too.
TUNING_EVALUATIONS, TUNING_TRANSITIONS = 500, 200
#: Transitions after which a kernel should have forgotten a wrong start, on targets of few dimensions; fewer where they
#: cost more than FORGET_EVALUATIONS in all, but no fewer than LEAST.
FORGET, FORGET_EVALUATIONS, LEAST = 400, 6000, 32
#: Steps of a chain that has to forget, in turn, relative to its own: a trajectory of fixed length that is a whole number
#: of half turns of some direction brings it back for ever, at one step size and not at its neighbours.
STEPS = (1.0, 0.93, 0.86, 0.8)


class Session:
    """The sampler, its settings by target, and the names of the streams."""

    def __init__(self, sampler: Sampler, settings: Mapping[str, Any], seed: str) -> None:
        self.sampler, self.settings, self.seed = sampler, dict(settings), seed
        self.tuned: dict[str, Mapping[str, float]] = {}
        self._references: dict[tuple[str, int], dict[str, Array]] = {}

    def on(self, target: Target) -> Mapping[str, float]:
        """The settings on a target: those that are given, the rest tuned to a coarse step."""
        if target.label not in self.tuned:
            self.tuned[target.label] = self.tune(target, ACCEPTANCE_GOAL, "acceptance")
        return self.tuned[target.label]

    def tune(self, target: Target, goal: float, rule: str) -> Mapping[str, float]:
        """Settings tuned to a goal, where the sampler's own rule is `rule`."""
        sampler = self.sampler
        complete = sampler.with_defaults(self.settings)
        if sampler.adaptation is None or sampler.adaptation.rule != rule:
            return complete
        coarse = replace(sampler, adaptation=replace(sampler.adaptation, goal=goal, trajectory=None, mass_matrix=False))
        evaluations = max(TUNING_EVALUATIONS, int(TUNING_TRANSITIONS * sampler.evaluations_per_step(complete)))
        start: StartName = "dispersed" if target.draw_exact is None else "exact"
        draws = run(
            target,
            coarse,
            self.settings,
            Plan(0, 1),
            chains=64,
            start=start,
            names=(self.seed, "tuning", target.label),
            tuning=Tuning(evaluations, mass_matrix="none"),
        )
        return sampler.with_defaults({**self.settings, **draws.tuned})

    def draws(self, target: Target, settings: Mapping[str, float], plan: Plan, start: Array, purpose: str) -> Draws:
        """One run from `start` (chain, dim)."""
        return run(
            target,
            self.sampler,
            settings,
            plan,
            chains=len(start),
            start=start,
            names=(self.seed, purpose, target.label),
        )

    def exact(self, target: Target, n: int, purpose: str) -> Array:
        """Exact draws (n, dim)."""
        assert target.draw_exact is not None
        return np.ascontiguousarray(target.draw_exact(stream(self.seed, purpose, target.label), n))

    def reference(self, target: Target, chains: int) -> dict[str, Array]:
        """The functionals of fresh exact draws, sorted; the same for all tests of a stage, each of which holds by itself."""
        key = target.label, chains
        if key not in self._references:
            found = functionals(target, self.exact(target, REFERENCE * chains, f"fresh {chains}"))
            self._references = {k: v for k, v in self._references.items() if k[1] == chains}
            self._references[key] = {name: np.sort(values) for name, values in found.items()}
        return self._references[key]

    def forgetting(self, settings: Mapping[str, float]) -> int:
        """Transitions after which a start should be forgotten."""
        return max(LEAST, min(FORGET, int(FORGET_EVALUATIONS / self.sampler.evaluations_per_step(settings))))


class ChainPath:
    """Chains of one session that go on from where they are."""

    def __init__(
        self, session: Session, target: Target, settings: Mapping[str, float], start: Array, purpose: str
    ) -> None:
        self.session, self.target, self.settings, self.purpose = session, target, dict(settings), purpose
        self.x, self.start, self.transitions = start, start, 0
        self.accepted = 0.0  # sum over chains and transitions of the acceptance that the kernel tells
        self.moved = False
        sampler = session.sampler
        self._chains: Chains | None = None
        if sampler.compiled:
            schedule = (
                np.empty(0) if sampler.schedule is None else np.asarray(sampler.schedule(settings), dtype=np.float64)
            )
            setup = Setup(target, sampler, self.settings, schedule=schedule)
            setup.compile()
            self._chains = Chains(setup, start, (session.seed, purpose, target.label))

    def advance(self, transitions: int) -> Array:
        """So many further transitions, with all `STEPS`; the positions (chain, dim)."""
        before = self.x
        if self._chains is None:
            plan = Plan(0, transitions, keep=False)
            draws = self.session.draws(
                self.target, self.settings, plan, before, f"{self.purpose} from {self.transitions}"
            )
            self.x, accepted = draws.end, draws.mean_acceptance * transitions
        else:
            for factor, count in self._pieces(transitions):
                self._chains.set({**self.settings, **factor})
                self._chains.advance(count)
            self.x = self._chains.x
            accepted = self._chains.all("statistic_sums")[:, ACCEPTANCE]
        self.transitions += transitions
        self.accepted = float(np.nansum(accepted))
        self.moved = self.moved or bool((self.x != before).any())
        return self.x

    def _pieces(self, transitions: int) -> list[tuple[dict[str, float], int]]:
        sampler = self.session.sampler
        adaptation = sampler.adaptation
        # With a schedule, what a chain remembers may belong to the very step.
        if not sampler.metropolised or sampler.schedule is not None or adaptation is None or adaptation.by_starts:
            return [({}, transitions)]
        ends = np.linspace(0, transitions, len(STEPS) + 1).astype(int)
        own = self.settings[adaptation.setting]
        return [
            ({adaptation.setting: own * step}, int(count)) for step, count in zip(STEPS, np.diff(ends), strict=True)
        ]
