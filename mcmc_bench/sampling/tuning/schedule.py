"""Tunes a sampler on its target before the measured run: step size, coordinates, trajectory, ladder.

Every sampler gets the same number of target evaluations, and everything that is learned is learned from all chains
together. Sees chains only through their positions and statistics, and what a sampler declares of itself in
`Adaptation`. Must not know any kernel.

Sources: dual averaging, Hoffman and Gelman 2014, arXiv 1111.4246; windows as in Stan; trajectory by ChEES, Hoffman,
Radul and Sountsov 2021 (PMLR 130), maximised over a grid, over the square root of the cost as Wang, Mohamed and de Freitas
2013 (arXiv 1302.6182) do, since over the cost itself the shortest trajectories win by their number; ladders by even rejection, Syed et al.
2022, arXiv 1905.02939; energy variance, Robnik et al. 2023, arXiv 2212.08549; the largest noise, Song and Ermon 2020,
arXiv 2006.09011, technique 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.sampler import ACCEPTANCE, ENERGY_ERROR, STATISTICS, Adaptation
from mcmc_bench.sampling.chains import Chains

Array = npt.NDArray[np.float64]
MassMatrix = Literal["none", "diagonal", "dense"]
MASS_MATRICES: tuple[MassMatrix, ...] = ("none", "diagonal", "dense")

#: Shares of the tuning budget: the step size alone, then windows in which coordinates and ladder are learned, each twice
#: as long as the one before, then the trajectory, until as much as the first is left for the last step size.
FIRST, WINDOWS = 0.1, (0.1, 0.2, 0.35)
#: Where a search for a step size begins anew, in coordinates with unit variances.
UNIT_STEP = 0.5
SEARCH = 40  # doublings or halvings at most
#: Squared energy error for each dimension from which a step without a correction is undone while it is tuned.
FLUNG = 1.0
#: Transitions of all chains with each length of the trajectory that ChEES compares.
CHEES_TRANSITIONS = 16
LONGEST = 2**9  # steps of a trajectory


@dataclass(frozen=True)
class Tuning:
    """What is asked for."""

    evaluations: int  # target evaluations of each chain
    mass_matrix: MassMatrix = "diagonal"


@dataclass(frozen=True)
class Tuned:
    """What was tuned, to what."""

    chosen: Mapping[str, float] = field(default_factory=dict)


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


class Welford:
    """Mean and covariance of points that come in batches, by the update of Chan, Golub and LeVeque 1979."""

    def __init__(self, dim: int, *, dense: bool) -> None:
        self.count, self.mean = 0, np.zeros(dim)
        self._scatter = np.zeros((dim, dim) if dense else dim)

    def update(self, points: Array) -> None:
        """A batch (n, dim)."""
        n, mean = len(points), points.mean(axis=0)
        centred, shift = points - mean, mean - self.mean
        weight = self.count * n / (self.count + n)
        if self._scatter.ndim == 2:
            self._scatter += centred.T @ centred + weight * np.outer(shift, shift)
        else:
            self._scatter += (centred**2).sum(axis=0) + weight * shift**2
        self.count += n
        self.mean += shift * n / self.count

    @property
    def covariance(self) -> Array:
        """(dim,) or (dim, dim)."""
        return self._scatter / max(self.count - 1, 1)


def tune(chains: Chains, tuning: Tuning, *, fixed: set[str]) -> Tuned:
    """Tune what the sampler declares, but for the settings in `fixed`; the chains have it when this returns.

    Spends `tuning.evaluations` target evaluations of each chain, over by at most what one transition and the starts in
    new coordinates cost.
    """
    session = _Session(chains, tuning, fixed)
    session.run()
    return Tuned({name: chains.setup.settings[name] for name in session.names})


class _Session:
    def __init__(self, chains: Chains, tuning: Tuning, fixed: set[str]) -> None:
        adaptation = chains.setup.sampler.adaptation
        assert adaptation is not None
        self.chains, self.tuning = chains, tuning
        self.adaptation: Adaptation = adaptation
        self.tunes_step = adaptation.setting not in fixed
        self.trajectory = None if adaptation.trajectory in fixed else adaptation.trajectory
        self.names = [
            name for name, tuned in ((adaptation.setting, self.tunes_step), (self.trajectory, True)) if tuned and name
        ]
        sampler = chains.setup.sampler
        self.mass_matrix: MassMatrix = (
            tuning.mass_matrix if sampler.uses_inverse_mass_matrix and adaptation.mass_matrix else "none"
        )
        self.begun = float(chains.spent.mean())
        self.rejections = np.zeros(0)
        self.rounds = 0

    # ---- moving ----

    @property
    def spent(self) -> float:
        """Share of the budget that is gone."""
        return (float(self.chains.spent.mean()) - self.begun) / self.tuning.evaluations

    def set(self, name: str, value: float) -> None:
        self.chains.set({**self.chains.setup.settings, name: value})

    def round(self) -> Array:
        """One transition of all chains; the statistics (chain, statistic).

        A chain that becomes non-finite goes back; so does one without a correction that a step far too long has flung away, for what
        refuses such steps elsewhere is missing.
        """
        chains = self.chains
        before = chains.state()
        chains.advance(1)
        statistics = chains.all("statistics")
        non_finite = np.logical_not(np.isfinite(chains.all("position")).all(axis=1))
        statistics[non_finite, ACCEPTANCE], statistics[non_finite, ENERGY_ERROR] = 0.0, np.inf
        if self.adaptation.rule == "energy":
            non_finite = np.logical_or(
                non_finite, ~(statistics[:, ENERGY_ERROR] ** 2 < FLUNG * chains.setup.target.dim)
            )
        if non_finite.any():
            chains.restore(before, non_finite)
        further = statistics[:, len(STATISTICS) :]
        self.rejections = further.mean(axis=0) + (self.rejections if self.rounds else 0.0)
        self.rounds += 1
        return statistics

    def signal(self, statistics: Array) -> float:
        """How far the round was above its goal; a larger step lowers it."""
        adaptation = self.adaptation
        if adaptation.rule == "acceptance":
            return float(np.nan_to_num(statistics[:, ACCEPTANCE]).mean()) - adaptation.goal
        if adaptation.rule == "ascent":
            # On the peak itself, rounding lowers the log density as often as it raises it.
            return float((statistics[:, ENERGY_ERROR] <= 1e-6).mean()) - adaptation.goal
        return 4.0 * adaptation.goal**3 - self.variance(statistics)

    def variance(self, statistics: Array) -> float:
        """Of the energy error, for each dimension; at most 1, so that a single fall from far outside does not rule."""
        squared = np.nan_to_num(statistics[:, ENERGY_ERROR] ** 2, nan=np.inf) / self.chains.setup.target.dim
        return float(np.minimum(squared, 1.0).mean())

    # ---- stages ----

    def run(self) -> None:
        if self.adaptation.by_starts:
            if self.tunes_step:
                self.measure_starts()
            return
        if self.tunes_step:
            self.search()
        self.adapt(FIRST)
        learn = self.mass_matrix != "none" or self.adaptation.ladder
        end = FIRST
        for share in WINDOWS if learn else ():
            end += share
            self.window(end)
        if self.trajectory is not None:
            self.adapt(end + 0.5 * FIRST)  # lengths are compared at a step that is used, not at the search's
            if self.spent < 1.0 - FIRST:
                self.chees(self.trajectory)
        self.adapt(1.0)
        if self.adaptation.rule == "ascent" and self.tunes_step:
            # What was found is the edge: 2/λ on a Gaussian, where chains swing about the peak for ever. Half of it climbs.
            self.set(self.adaptation.setting, 0.5 * self.chains.setup.settings[self.adaptation.setting])

    def measure_starts(self) -> None:
        """As wide as the starts are; what is the same everywhere says nothing, and leaves the setting as it is."""
        x, setup = self.chains.x, self.chains.setup
        if self.adaptation.rule == "distance":
            width = max(float(np.sqrt(((x - point) ** 2).sum(axis=1)).max()) for point in x)
        else:
            width = float(np.sqrt((x**2).mean()))
        sampler = setup.sampler
        if not width > 0.0 or sampler.schedule is None:
            return
        settings = {**setup.settings, self.adaptation.setting: self.adaptation.goal * width}
        ladder = np.asarray(sampler.schedule(settings), dtype=np.float64)
        self.chains.place(replace(setup, settings=settings, schedule=ladder), x)

    def search(self) -> bool:
        """Double or halve the step size until the signal changes its sign; whether the budget was enough for that."""
        name = self.adaptation.setting
        step_size, direction = self.chains.setup.settings[name], 0
        for _ in range(SEARCH):
            too_high = self.signal(self.round()) > 0.0
            if direction == 0:
                direction = 1 if too_high else -1
            if (direction > 0) != too_high:
                return True
            if self.spent > 1.0:
                break
            step_size *= 2.0**direction
            self.set(name, step_size)
        return False

    def adapt(self, until: float, watch: Callable[[], None] | None = None) -> None:
        """Adapt the step size until a share of the budget is gone; `watch` is called after every round."""
        name = self.adaptation.setting
        first = self.chains.setup.settings[name]
        energy = self.adaptation.rule == "energy"
        dual = DualAveraging(first)
        by_energy = EnergyVariance(first, self.adaptation.goal, self.adaptation.exponent)
        while self.spent < until:
            statistics = self.round()
            if self.tunes_step:
                if energy:
                    by_energy.update(self.variance(statistics))
                else:
                    dual.update(self.signal(statistics))
                self.set(name, by_energy.step_size if energy else dual.step_size)
            if watch is not None:
                watch()
        if self.tunes_step:
            self.set(name, by_energy.average if energy else dual.average)

    def window(self, until: float) -> None:
        """Learn coordinates and ladder while the step size adapts, and go on with them."""
        chains, setup = self.chains, self.chains.setup
        welford = Welford(setup.target.dim, dense=self.mass_matrix == "dense")
        self.rounds = 0
        self.adapt(until, lambda: welford.update(chains.x))
        if not self.rounds:
            return
        ladder, matrix = setup.schedule, setup.inverse_mass_matrix
        if self.adaptation.ladder:
            ladder = even(ladder, self.rejections[: len(ladder) - 1] / self.rounds)
        if self.mass_matrix != "none" and welford.count > 1:
            matrix = usable(welford.covariance, welford.count)
        if matrix is None and ladder is setup.schedule:
            return
        known = chains.setup
        chains.place(replace(known, inverse_mass_matrix=matrix, schedule=ladder), chains.x)
        if self.tunes_step and self.mass_matrix != "none":
            self.set(self.adaptation.setting, UNIT_STEP)
            if not self.search():  # no step is known there: back to coordinates with one that is
                chains.place(known, chains.x)

    def chees(self, name: str) -> None:
        """Climb to the trajectory with the largest ChEES over the root of its cost, from the one that is set.

        By doubling or halving, then by √2 either way; where the budget ends first, by as far as it got.
        """
        step_size = self.chains.setup.settings[self.adaptation.setting]
        begin = float(np.clip(self.chains.setup.settings[name], step_size, LONGEST * step_size))
        found: dict[float, float] = {}

        def is_better(length: float, than: float) -> bool:
            if step_size <= length <= LONGEST * step_size and (criterion := self.chees_at(name, length)) is not None:
                found[length] = criterion
            return than in found and found.get(length, 0.0) > found[than]

        is_better(begin, begin)
        for factors in ((2.0, 0.5), (np.sqrt(2.0), np.sqrt(0.5))):
            top = max(found, key=lambda length: found[length], default=begin)
            for factor in factors:
                best = top
                while is_better(best * factor, best) and factor in (2.0, 0.5):
                    best *= factor
                if best != top:
                    break
        self.set(name, float(max(found, key=lambda length: found[length], default=begin)))

    def chees_at(self, name: str, length: float) -> float | None:
        """¼ E[(‖u' − m‖² − ‖u − m‖²)²] over √cost, with trajectories of this length; None if the budget ends before."""
        self.set(name, length)
        before, spent = self.chains.all("position"), float(self.chains.spent.mean())
        pairs = []
        for _ in range(CHEES_TRANSITIONS):
            if self.spent > 1.0 - FIRST:
                return None
            self.round()
            after = self.chains.all("position")
            pairs.append((before, after))
            before = after
        centre = np.mean([after for _, after in pairs], axis=(0, 1))
        change = [((b - centre) ** 2).sum(axis=1) - ((a - centre) ** 2).sum(axis=1) for a, b in pairs]
        cost = (float(self.chains.spent.mean()) - spent) / CHEES_TRANSITIONS
        return float(0.25 * np.mean(np.square(change)) / np.sqrt(cost))


def usable(covariance: Array, count: int) -> Array:
    """A covariance that can be a metric: of `count` draws, shrunk towards its diagonal, and nowhere zero."""
    diagonal = covariance if covariance.ndim == 1 else np.diag(covariance)
    positive = diagonal[np.isfinite(diagonal) & (diagonal > 0)]
    floor = 1e-10 * positive.max() if len(positive) else 1.0
    safe = np.where(np.isfinite(diagonal) & (diagonal > floor), diagonal, floor)
    if covariance.ndim == 1:
        return np.ascontiguousarray(safe)
    # Neighbouring draws of a chain are alike: a tenth of them is what the whole matrix is trusted with.
    trust = count / (count + 10.0 * len(safe))
    shrunk = trust * np.where(np.isfinite(covariance), covariance, 0.0)
    np.fill_diagonal(shrunk, safe)
    return np.ascontiguousarray(shrunk)


def even(ladder: Array, rejection: Array) -> Array:
    """A ladder with the same ends whose pairs reject alike, from the rejection rate of each of its pairs.

    The sum of the rates up to a temperature hardly depends on the ladder (Syed et al. 2022): it is cut into equal parts.
    """
    total = np.concatenate([[0.0], np.cumsum(np.clip(rejection, 1e-3, 1.0))])
    equal = np.linspace(0.0, total[-1], len(ladder))
    return np.asarray(np.interp(equal, total, ladder))
