"""Tunes a sampler on its target before the measured run: step size, mass matrix, trajectory, ladder.

Every sampler gets the same number of target evaluations, and everything that is learned is learned from all chains
together, in windows as in Stan. Sees chains only through their positions and statistics, and what a sampler declares of
itself in `Adaptation`. Must not know any kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from mcmc_bench.core.sampler import Adaptation
from mcmc_bench.sampling.chains import Chains
from mcmc_bench.sampling.tuning import trajectory
from mcmc_bench.sampling.tuning.ladder import even
from mcmc_bench.sampling.tuning.mass_matrix import MASS_MATRICES, MassMatrix, Welford, usable
from mcmc_bench.sampling.tuning.rounds import Rounds
from mcmc_bench.sampling.tuning.starts import WIDTHS
from mcmc_bench.sampling.tuning.step_size import Acceptance, Ascent, EnergyError, StepSizeRule, adapt, search

__all__ = ["MASS_MATRICES", "STEP_SIZE_RULES", "MassMatrix", "Tuned", "Tuning", "tune"]

#: Rules that need transitions, by the name in the declaration. `WIDTHS` has those that need only the starts.
STEP_SIZE_RULES: dict[str, type[StepSizeRule]] = {"acceptance": Acceptance, "energy": EnergyError, "ascent": Ascent}
#: Shares of the tuning budget: the step size alone, then windows in which mass matrix and ladder are learned, each twice
#: as long as the one before, then the trajectory, until as much as the first is left for the last step size.
FIRST, WINDOWS = 0.1, (0.1, 0.2, 0.35)
#: Where a search for a step size begins anew, in coordinates with unit variances.
UNIT_STEP = 0.5


@dataclass(frozen=True)
class Tuning:
    """A request: how much tuning may cost, and which mass matrix is learned."""

    evaluations: int  # target evaluations of each chain
    mass_matrix: MassMatrix = "diagonal"


@dataclass(frozen=True)
class Tuned:
    """The settings that were tuned, and to what."""

    chosen: Mapping[str, float] = field(default_factory=dict)


def tune(chains: Chains, tuning: Tuning, *, fixed: set[str]) -> Tuned:
    """Tune what the sampler declares, but for the settings in `fixed`; the chains have it when this returns.

    Spends `tuning.evaluations` target evaluations of each chain, over by at most what one transition and the starts in
    new coordinates cost.
    """
    adaptation = chains.setup.sampler.adaptation
    assert adaptation is not None
    if adaptation.by_starts:
        if adaptation.setting not in fixed:
            _by_starts(chains, adaptation)
    else:
        _Stages(chains, adaptation, tuning, fixed).run()
    tuned = [name for name in (adaptation.setting, adaptation.trajectory) if name is not None and name not in fixed]
    return Tuned({name: chains.setup.settings[name] for name in tuned})


def _by_starts(chains: Chains, adaptation: Adaptation) -> None:
    """As wide as the starts are; what is the same everywhere says nothing, and leaves the setting as it is."""
    x, setup = chains.x, chains.setup
    width = WIDTHS[adaptation.rule](x)
    if not width > 0.0 or setup.sampler.schedule is None:
        return
    settings = {**setup.settings, adaptation.setting: adaptation.goal * width}
    schedule = np.asarray(setup.sampler.schedule(settings), dtype=np.float64)
    chains.place(replace(setup, settings=settings, schedule=schedule), x)


class _Stages:
    """Step size, windows, trajectory and step size again, in the order in which they spend the budget."""

    def __init__(self, chains: Chains, adaptation: Adaptation, tuning: Tuning, fixed: set[str]) -> None:
        setup = chains.setup
        rule = STEP_SIZE_RULES[adaptation.rule](adaptation, setup.target.dim)
        self.chains, self.adaptation = chains, adaptation
        self.rounds = Rounds(chains, tuning.evaluations, rule.undone)
        self.rule = None if adaptation.setting in fixed else rule
        self.trajectory = None if adaptation.trajectory in fixed else adaptation.trajectory
        learns = setup.sampler.uses_inverse_mass_matrix and adaptation.mass_matrix
        self.mass_matrix: MassMatrix = tuning.mass_matrix if learns else "none"

    def run(self) -> None:
        """All stages."""
        rounds, rule, setting = self.rounds, self.rule, self.adaptation.setting
        if rule is not None:
            search(rounds, rule)
        adapt(rounds, rule, FIRST)
        learns = self.mass_matrix != "none" or self.adaptation.ladder
        end = FIRST
        for share in WINDOWS if learns else ():
            end += share
            self.window(end)
        if self.trajectory is not None:
            adapt(rounds, rule, end + 0.5 * FIRST)  # lengths are compared at a step that is used, not at the search's
            if rounds.spent < 1.0 - FIRST:
                trajectory.climb(rounds, self.trajectory, rounds.value(setting), until=1.0 - FIRST)
        adapt(rounds, rule, 1.0)
        if rule is not None:
            rounds.set(setting, rule.used(rounds.value(setting)))

    def window(self, until: float) -> None:
        """Learn mass matrix and ladder while the step size adapts, and go on with them."""
        chains, setup, rounds = self.chains, self.chains.setup, self.rounds
        welford = Welford(setup.target.dim, dense=self.mass_matrix == "dense")
        rounds.count = 0
        adapt(rounds, self.rule, until, lambda: welford.update(chains.x))
        if not rounds.count:
            return
        schedule, matrix = setup.schedule, setup.inverse_mass_matrix
        if self.adaptation.ladder:
            schedule = even(schedule, rounds.extra_sums[: len(schedule) - 1] / rounds.count)
        if self.mass_matrix != "none" and welford.count > 1:
            matrix = usable(welford.covariance, welford.count)
        if matrix is None and schedule is setup.schedule:
            return
        known = chains.setup
        chains.place(replace(known, inverse_mass_matrix=matrix, schedule=schedule), chains.x)
        if self.rule is not None and self.mass_matrix != "none":
            rounds.set(self.adaptation.setting, UNIT_STEP)
            if not search(rounds, self.rule):  # no step is known there: back to coordinates with one that is
                chains.place(known, chains.x)
