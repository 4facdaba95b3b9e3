"""Tunes a step size by transitions, to a goal of acceptance, of energy error or of ascent.

Sources: dual averaging, Hoffman and Gelman 2014, arXiv 1111.4246; energy variance, Robnik et al. 2023, arXiv 2212.08549.
Must not know any kernel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from mcmc_bench.core.arrays import Array, BoolArray
from mcmc_bench.core.sampler import ACCEPTANCE, ENERGY_ERROR, Adaptation
from mcmc_bench.sampling.tuning.rounds import Rounds

SEARCH = 40  # doublings or halvings at most
#: Squared energy error for each dimension from which a step without a correction is undone while it is tuned.
FLUNG = 1.0


class DualAveraging:
    """Robbins–Monro on the logarithm of a step size, with averaging; constants of Hoffman and Gelman.

    It is drawn towards the step that it begins with, and not towards ten times that, for a search has been there before:
    where a transition is so dear that there are only a few rounds, they cannot lead far away.
    """

    SHRINKAGE, DELAY, FORGETTING = 0.05, 10.0, 0.75
    #: Below so many rounds the average knows less than the search did.
    FEW = 10

    def __init__(self, step_size: float) -> None:
        self.centre = np.log(step_size)
        self.step_size = self.first = step_size
        self._error = 0.0
        self._log_average = np.log(step_size)
        self._count = 0

    def update(self, too_high: float) -> None:
        """One round in which the signal was `too_high` above its goal (a larger step lowers it)."""
        self._count += 1
        t = self._count
        weight = 1.0 / (t + self.DELAY)
        self._error = (1.0 - weight) * self._error - weight * too_high
        logarithm = self.centre - np.sqrt(t) / self.SHRINKAGE * self._error
        share = t**-self.FORGETTING
        self._log_average = share * logarithm + (1.0 - share) * self._log_average
        self.step_size = float(np.exp(logarithm))

    @property
    def average(self) -> float:
        """The step size to go on with."""
        return self.first if self._count < self.FEW else float(np.exp(self._log_average))


class EnergyVariance:
    """The step size at which the variance of the energy error, over dim, is 4 b³.

    It grows as step_size^k, so that every round with step ε and variance v says v / ε^k; these are averaged with a memory
    of some fifty rounds. Where 4 b³ comes from: on N(0, 1/λ) one leapfrog step of size h has an energy error of
    variance h⁶λ³/16 for each dimension in equilibrium, and OBABO a variance too large by b = h²λ/4; ULA with
    ε = h²/2 by b = ελ/2 = h²λ/4. Both give v = 4 b³.
    """

    MEMORY = 0.98

    def __init__(self, step_size: float, goal: float, exponent: float) -> None:
        self.step_size = self.average = step_size
        self.goal, self.exponent = 4.0 * goal**3, exponent
        self._sum = self._weight = 0.0

    def update(self, variance: float) -> None:
        """One round with the present step size in which the variance for each dimension was `variance`."""
        self._sum = self.MEMORY * self._sum + variance / self.step_size**self.exponent
        self._weight = self.MEMORY * self._weight + 1.0
        wanted = (self.goal * self._weight / max(self._sum, 1e-300)) ** (1.0 / self.exponent)
        self.step_size = self.average = float(np.clip(wanted, 0.5 * self.step_size, 1.5 * self.step_size))


class StepSizeRule(ABC):
    """A goal for the step size of a sampler on a target of `dim` dimensions."""

    def __init__(self, adaptation: Adaptation, dim: int) -> None:
        self.adaptation, self.dim = adaptation, dim

    @abstractmethod
    def too_high(self, statistics: Array) -> float:
        """The signal of a round minus its goal; a larger step lowers it."""

    def undone(self, statistics: Array) -> BoolArray:
        """The chains, (chain,), whose transition is undone although they stay finite: none."""
        return np.zeros(len(statistics), dtype=np.bool_)

    def average(self, step_size: float) -> DualAveraging | EnergyVariance:
        """The average over rounds that begins with `step_size`."""
        return DualAveraging(step_size)

    def observed(self, statistics: Array) -> float:
        """The number of a round that the average is updated with."""
        return self.too_high(statistics)

    def used(self, step_size: float) -> float:
        """The step size to run with, where `step_size` meets the goal."""
        return step_size


class Acceptance(StepSizeRule):
    """The mean acceptance over all chains is the goal."""

    def too_high(self, statistics: Array) -> float:
        """The mean acceptance above its goal."""
        return float(np.nan_to_num(statistics[:, ACCEPTANCE]).mean()) - self.adaptation.goal


class EnergyError(StepSizeRule):
    """The variance of the energy error, over dim, is 4 b³ with b the goal: for kernels without a correction."""

    def too_high(self, statistics: Array) -> float:
        """4 b³ above the variance."""
        return 4.0 * self.adaptation.goal**3 - self.observed(statistics)

    def undone(self, statistics: Array) -> BoolArray:
        """Chains that a step far too long has flung away: what refuses such steps elsewhere is missing."""
        return np.asarray(~(statistics[:, ENERGY_ERROR] ** 2 < FLUNG * self.dim), dtype=np.bool_)

    def average(self, step_size: float) -> DualAveraging | EnergyVariance:
        """The average of variances."""
        return EnergyVariance(step_size, self.adaptation.goal, self.adaptation.exponent)

    def observed(self, statistics: Array) -> float:
        """The variance for each dimension; at most 1, so that a single fall from far outside does not rule."""
        squared = np.nan_to_num(statistics[:, ENERGY_ERROR] ** 2, nan=np.inf) / self.dim
        return float(np.minimum(squared, 1.0).mean())


class Ascent(StepSizeRule):
    """A share of the goal of the steps do not lower the log density, at twice the step size that is used."""

    def too_high(self, statistics: Array) -> float:
        """The share above its goal."""
        # On the peak itself, rounding lowers the log density as often as it raises it.
        return float((statistics[:, ENERGY_ERROR] <= 1e-6).mean()) - self.adaptation.goal

    def used(self, step_size: float) -> float:
        """Half of the edge 2/λ on a Gaussian, at which chains swing about the peak for ever. Half of it climbs."""
        return 0.5 * step_size


def search(rounds: Rounds, rule: StepSizeRule) -> bool:
    """Double or halve the step size until the signal changes its sign; returns whether the budget was enough for that."""
    name = rule.adaptation.setting
    step_size, direction = rounds.value(name), 0
    for _ in range(SEARCH):
        too_high = rule.too_high(rounds.make()) > 0.0
        if direction == 0:
            direction = 1 if too_high else -1
        if (direction > 0) != too_high:
            return True
        if rounds.spent > 1.0:
            break
        step_size *= 2.0**direction
        rounds.set(name, step_size)
    return False


def adapt(rounds: Rounds, rule: StepSizeRule | None, until: float, watch: Callable[[], None] | None = None) -> None:
    """Make rounds, and adapt the step size in them, until a share of the budget is gone.

    Args:
        rounds: the chains.
        rule: the goal of the step size; None leaves it as it is.
        until: the share.
        watch: called after every round.
    """
    average = None if rule is None else rule.average(rounds.value(rule.adaptation.setting))
    while rounds.spent < until:
        statistics = rounds.make()
        if rule is not None and average is not None:
            average.update(rule.observed(statistics))
            rounds.set(rule.adaptation.setting, average.step_size)
        if watch is not None:
            watch()
    if rule is not None and average is not None:
        rounds.set(rule.adaptation.setting, average.average)
