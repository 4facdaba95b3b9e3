"""The length of a run: in transitions, or in target evaluations.

Knows the sampler's contract. Must not know how a run is driven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcmc_bench.core.sampler import Sampler


class SamplingError(ValueError):
    """A run that cannot be started: bad settings, or a start where the density is not finite."""


@dataclass(frozen=True)
class Plan:
    """Transitions discarded, transitions measured, and which of those are kept."""

    warmup: int
    transitions: int
    thin: int = 1
    keep: bool = True

    @property
    def kept(self) -> int:
        """Draws of a chain that are kept."""
        return self.transitions // self.thin if self.keep else 0


@dataclass(frozen=True)
class Budget:
    """Target evaluations of each chain, the one at the start included; what tuning costs comes on top."""

    evaluations: int
    warmup_share: float = 0.25  # share discarded
    max_draws: int = 500  # of a chain, kept

    def plan(self, sampler: Sampler, settings: Mapping[str, float], *, cost: float | None = None) -> Plan:
        """The plan that spends the budget; thins so that at most `max_draws` draws of a chain are kept.

        Args:
            sampler: the sampler.
            settings: all of its settings.
            cost: evaluations of a transition, where it is known better than by the sampler's declaration.
        """
        each = sampler.evaluations_per_step(settings) if cost is None else cost
        transitions = int((self.evaluations - sampler.evaluations_at_start) / each * (1 + 1e-12))
        warmup = int(self.warmup_share * transitions)
        measured = transitions - warmup
        if measured < 1:
            raise SamplingError(
                f"{sampler.name}: a budget of {self.evaluations} evaluations leaves no transition after warmup "
                f"(one costs {each:g}); raise budget"
            )
        return Plan(warmup, measured, thin=max(1, -(-measured // self.max_draws)))

    def planned_evaluations(self, sampler: Sampler, settings: Mapping[str, float], *, tuned: bool = False) -> float:
        """Target evaluations that a chain is declared to cost, the one at the start included."""
        if tuned or sampler.varying_cost:
            return float(self.evaluations)
        plan = self.plan(sampler, settings)
        return float(
            sampler.evaluations_at_start + (plan.warmup + plan.transitions) * sampler.evaluations_per_step(settings)
        )
