"""Makes the truth of a target that has no closed form: long runs of two different samplers that have to agree.

Two of HMC, MALA and NUTS, each with a step size of its own, in coordinates in which the target's covariance is the
identity (learned from a pilot that is thrown away), from different starts: the first from dispersed ones, the second from the one
point; where modes are known, the chains of both are spread over all of them. Standard errors come from the spread
between independent chains, and so rest on no estimate of autocorrelation. What fails a check is not written. Must not know
any particular target.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mcmc_bench.catalog import stored_truth
from mcmc_bench.catalog.files import load_sampler
from mcmc_bench.checks.truth.agreement import (
    CHAINS,
    Estimate,
    Goals,
    LongRun,
    checks,
    holds,
    quantiles_of,
    relative_error,
)
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.progress import Progress
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import QUANTILE_LEVELS, Target
from mcmc_bench.sampling.replicate import Plan, run
from mcmc_bench.sampling.tuning.schedule import Tuning

#: Acceptance that the step sizes are tuned to: somewhat above the optimum of each, for safety in corners.
ACCEPTANCE = {"hmc": 0.93, "mala": 0.65, "nuts": 0.9}
#: The two that have to agree, if nothing else is asked for: the first gives the truth.
SAMPLERS = ("hmc", "mala")
#: Rounds of the pilot: transitions of each, after which the coordinates are learned anew.
PILOT_ROUNDS = (100, 200, 400, 800)
#: Transitions in which a step size is tuned, and those after it that show which chains are stuck.
TUNING_TRANSITIONS, LOOK_TRANSITIONS = 150, 15
#: Length of a Hamiltonian trajectory in coordinates with unit variances: a bit less than a quarter of a turn, at which
#: a Gaussian's draws are nearly independent, and no coordinate returns to where it was.
TRAJECTORY = 1.3
#: Mean acceptance of a chain below which it is stuck.
STUCK = 0.02
LONGEST_TRAJECTORY = 256  # leapfrog steps
#: Transitions of the warm-up, which is repeated with a shorter step, so many times at most, until none of them diverges.
WARM_UP = {"hmc": 500, "mala": 3000, "nuts": 300}
SHORTENED = 6
#: Kept draws of a chain in one stretch of a run.
KEPT = 250
#: Standard error of kept draws, over that of as many independent ones, above which they are taken further apart.
SLOW = 1.5
#: At most so many numbers are stored as draws.
STORED_NUMBERS = 60_000
MOST_DRAWS, FEWEST_DRAWS = 2000, 256


class ReferenceRunError(ValueError):
    """Runs that did not pass their checks; the message says which, with the numbers."""


def reference(
    target: Target,
    *,
    samplers: Sequence[str] = SAMPLERS,
    goals: Goals | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], Array]:
    """Run both samplers on `target` until their standard errors are small enough, and check them.

    Returns:
        What `stored_truth.write` stores: the numbers, and draws (n, dim).

    Raises:
        ReferenceRunError: a check that fails; the message has every check with its number.
    """
    if len(samplers) != len(SAMPLERS) or len(set(samplers)) < len(samplers) or not set(samplers) <= set(ACCEPTANCE):
        raise ValueError(f"samplers = {', '.join(samplers)} must be two different ones of {', '.join(ACCEPTANCE)}")
    goals = goals or Goals()
    session = _Session(target, samplers, goals, threads, progress or (lambda what, done, count: None))
    return session.content()


class _Session:
    def __init__(self, target: Target, samplers: Sequence[str], goals: Goals, threads: int, progress: Progress) -> None:
        self.samplers = samplers
        self.target, self.goals, self.threads, self.progress = target, goals, threads, progress
        self.deadline = time.monotonic() + goals.seconds

    # ---- sampling ----

    def sample(
        self,
        at: Array,
        sampler: Sampler,
        settings: Mapping[str, float],
        plan: Plan,
        start: Array,
        purpose: str,
        tuning: Tuning | None = None,
    ) -> Draws:
        """One stretch from `start` (chain, dim), in the coordinates in which the covariance `at` is the identity."""
        return run(
            self.target,
            sampler,
            settings,
            plan,
            chains=len(start),
            start=start,
            inverse_mass_matrix=at,
            names=("reference run", self.target.label, sampler.name, purpose),
            threads=self.threads,
            tuning=tuning,
        )

    def starts(self, sampler: str) -> tuple[str, Array]:
        """In words, and (chain, dim)."""
        target, generator = self.target, stream("reference run", self.target.label, sampler, "start")
        if target.modes is not None and len(target.modes.weights) > 1:
            number = np.arange(CHAINS) % len(target.modes.weights)
            return f"every one of the {len(target.modes.weights)} known modes", target.modes.locations[number]
        if sampler == self.samplers[0]:
            return "dispersed", target.starts("dispersed", generator, CHAINS)
        return "one point", target.starts("one_point", generator, CHAINS)

    def tuned(self, at: Array, sampler: str, start: Array, purpose: str, first: float) -> tuple[float, Array]:
        """A step size in u with the acceptance of ACCEPTANCE, looked for from `first` on, and the ends of the chains."""
        own = load_sampler(sampler)
        assert own.adaptation is not None
        given = self.settings(sampler, first)
        step_size = replace(own.settings["step_size"], default=given.pop("step_size"))
        goal = replace(own.adaptation, goal=ACCEPTANCE[sampler], trajectory=None)
        tunable = replace(own, settings={**own.settings, "step_size": step_size}, adaptation=goal)
        evaluations = TUNING_TRANSITIONS * int(own.evaluations_per_step(own.with_defaults(given)))
        draws = self.sample(
            at, tunable, given, Plan(0, LOOK_TRANSITIONS, keep=False), start, purpose, Tuning(evaluations, "none")
        )
        tuned = draws.tuned["step_size"]
        end = self.unstuck(draws, start, f"{sampler} {purpose}")
        return (float(np.sqrt(2.0 * tuned)) if sampler == "mala" else tuned), end

    @property
    def first_step(self) -> float:
        """The step size that a search begins with, in coordinates with unit variances."""
        return 0.5 * float(self.target.dim) ** -0.25

    @staticmethod
    def alive(end: Array, before: Array) -> Array:
        """Ends of chains; where one has become non-finite, where it was before."""
        return np.where(np.isfinite(end).all(axis=1, keepdims=True), end, before)

    def unstuck(self, draws: Draws, before: Array, name: str) -> Array:
        """Ends of chains while they are tuned; one that accepts nothing, for it began where the density is steep beyond any
        step that suits the rest, goes on from where another is. What runs later is not touched.
        """
        end = self.alive(draws.end, before)
        moving = np.nan_to_num(draws.mean_acceptance) > STUCK
        if moving.any():
            others = stream("reference run", self.target.label, "unstuck", name).choice(
                np.flatnonzero(moving), len(end)
            )
            end = np.where(moving[:, None], end, end[others])
        return end

    @staticmethod
    def settings(sampler: str, step_size: float) -> dict[str, float]:
        """The sampler's settings for a step size in u: for MALA h of its leapfrog step, ε = h²/2."""
        if sampler == "mala":
            return {"step_size": 0.5 * step_size**2}
        if sampler == "nuts":
            return {"step_size": step_size}
        steps = int(np.clip(np.ceil(TRAJECTORY / step_size), 1, LONGEST_TRAJECTORY))
        return {"step_size": step_size, "num_integration_steps": steps}

    def pilot(self) -> Array:
        """The covariance (dim, dim), learned by HMC in rounds."""
        target = self.target
        position = target.starts("dispersed", stream("reference run", target.label, "hmc", "start"), CHAINS)
        if target.modes is not None and len(target.modes.weights) > 1:
            position = target.modes.locations[np.arange(CHAINS) % len(target.modes.weights)]
        dispersed = target.starts("dispersed", stream("reference run", target.label, "scale"), 1000)
        at = np.diag((0.3 * dispersed.std(axis=0)) ** 2)
        step_size = self.first_step
        for number, transitions in enumerate(PILOT_ROUNDS):
            self.progress("pilot: learning the target's covariance", number, len(PILOT_ROUNDS))
            step_size, position = self.tuned(at, "hmc", position, f"pilot {number}", step_size)
            draws = self.sample(
                at,
                load_sampler("hmc"),
                self.settings("hmc", step_size),
                Plan(transitions // 2, transitions),
                position,
                f"pilot {number} run",
            )
            position = self.alive(draws.end, position)
            points = draws.flat
            # A little of the diagonal keeps a covariance learned from few independent draws from being singular.
            covariance, trust = np.cov(points.T).reshape(target.dim, target.dim), 1.0 - 0.1 / (1 + number)
            at = trust * covariance + (1.0 - trust) * np.diag(np.diag(covariance))
        return at

    def prepare(self, at: Array, sampler: str) -> LongRun:
        """Tune and warm up."""
        start, position = self.starts(sampler)
        step_size, position = self.tuned(at, sampler, position, "tuning", self.first_step)
        step_size, position = self.tuned(at, sampler, position, "tuning again", step_size)
        transitions = WARM_UP[sampler]
        for attempt in range(SHORTENED):
            settings = self.settings(sampler, step_size)
            warmup = self.sample(
                at, load_sampler(sampler), settings, Plan(0, transitions, keep=False), position, f"warm-up {attempt}"
            )
            position = self.unstuck(warmup, position, f"{sampler} warm-up {attempt}")
            if warmup.divergences.sum() == 0:
                break
            step_size *= 0.7  # the mean acceptance says little about the steepest corner
        return LongRun(settings, start, has_ratio=load_sampler(sampler).energy_error_is_log_ratio, end=position)

    def extend(self, at: Array, sampler: str, one: LongRun, transitions: int) -> None:
        """A further stretch of a run."""
        assert one.end is not None
        plan = Plan(0, transitions, thin=transitions // KEPT)
        draws = self.sample(at, load_sampler(sampler), one.settings, plan, one.end, f"stretch {len(one.stretches)}")
        if (draws.stopped_at >= 0).any():
            raise ReferenceRunError(
                f"{self.target.label}: {sampler} became non-finite in {(draws.stopped_at >= 0).sum()} of "
                f"{CHAINS} chains; `mcmc-bench check {self.target.name}` says whether the density is at fault"
            )
        one.evaluations += draws.cost.evaluations * CHAINS
        one.seconds += draws.cost.sampling_seconds
        one.divergences += int(draws.divergences.sum())
        one.transitions += transitions * CHAINS
        one.end = draws.end
        one.stretches.append(draws)

    def runs(self) -> dict[str, LongRun]:
        """Both samplers, until their standard errors are small enough or time is over."""
        at = self.pilot()
        found = {sampler: self.prepare(at, sampler) for sampler in self.samplers}
        for number, (sampler, one) in enumerate(found.items()):
            goal = self.goals.error * (1.0 if number == 0 else self.goals.second)
            end = self.deadline - (1 - number) * 0.5 * self.goals.seconds  # half of the time for each
            thin = 1
            while True:
                self.extend(at, sampler, one, thin * KEPT)
                reached = relative_error(one.position)
                done = int(100 * min(1.0, (goal / reached) ** 2))
                self.progress(f"{sampler}: largest standard error {reached:.2g} of {goal:g} sd", done, 100)
                if (reached <= goal and len(one.stretches) > 1) or time.monotonic() > end:
                    break
                # Memory holds few draws: they are taken further apart as long as they are far from independent.
                if reached * np.sqrt(CHAINS * KEPT * len(one.stretches)) > SLOW:
                    thin *= 2
        return found

    # ---- what they say ----

    def content(self) -> tuple[dict[str, Any], Array]:
        """The runs, checked, as they are stored."""
        runs = self.runs()
        table = checks(self.target, runs, self.goals)
        failed = [what for what, (value, relation, bound) in table.items() if not holds(value, relation, bound)]
        if failed:
            lines = "\n".join(
                f"  {'FAILED' if what in failed else 'passed'}: {what}: {value:.4g} (must be {relation} {bound:.4g})"
                for what, (value, relation, bound) in table.items()
            )
            raise ReferenceRunError(
                f"{self.target.label}: the runs did not pass {len(failed)} of {len(table)} checks, and nothing was "
                f"written; give them more time, or this target needs a sampler that is not here yet\n{lines}"
            )
        (name, first), (other, second) = runs.items()
        draws = first.position
        note = (
            f"{name.upper()}, {CHAINS} chains, {first.evaluations:.2g} evaluations; agrees with {other.upper()}, "
            f"{second.evaluations:.2g} evaluations; R-hat, ESS, divergences, energy and Stein's identities checked"
        )
        content = {
            "target": self.target.label,
            "note": note,
            "remarks": "",
            "made by": f"mcmc-bench reference {self.target.name}",
            "probes": stored_truth.probes(self.target),
            "checks": {
                what: {"value": value, "must be": f"{relation} {bound:.6g}"}
                for what, (value, relation, bound) in table.items()
            },
            "runs": {
                name: {
                    "settings": one.settings,
                    "start": one.start,
                    "chains": CHAINS,
                    "evaluations": one.evaluations,
                    "seconds": round(one.seconds, 1),
                }
                for name, one in runs.items()
            },
            "versions": {name: importlib.metadata.version(name) for name in ("mcmc_bench", "numba", "numpy")},
            "quantile_levels": list(QUANTILE_LEVELS),
            "log_density": _log_density(first.kept("log_density")),
            "coordinates": _columns(draws),
        }
        if self.target.constrained is not None:
            constrained = self.target.constrained.of(draws.reshape(-1, self.target.dim))
            names = {"names": list(self.target.constrained.names)}
            content["constrained"] = names | _columns(constrained.reshape(*draws.shape[:2], -1))
        return content, _thinned(draws)


def _columns(draws: Array) -> dict[str, Any]:
    """Moments and quantiles with their standard errors, of draws (chain, draw, k)."""
    mean, second = Estimate.of(draws.mean(axis=1)), Estimate.of((draws**2).mean(axis=1))
    quantiles, share = quantiles_of(draws)
    return {
        "mean": mean.value,
        "mean_standard_error": mean.standard_error,
        "second_moment": second.value,
        "second_moment_standard_error": second.standard_error,
        "variance_of_square": (draws**2).var(axis=(0, 1)),
        "quantiles": quantiles,
        "quantile_share_standard_error": share,
    }


def _log_density(log_density: Array) -> dict[str, Any]:
    mean = Estimate.of(log_density.mean(axis=1))
    quantiles, share = quantiles_of(log_density[:, :, None])
    return {
        "mean": mean.value,
        "mean_standard_error": mean.standard_error,
        "quantiles": quantiles[0],
        "quantile_share_standard_error": share[0],
    }


def _thinned(draws: Array) -> Array:
    """Draws (n, dim) to be stored, evenly from every chain."""
    chains, kept, dim = draws.shape
    number = int(np.clip(STORED_NUMBERS // dim, FEWEST_DRAWS, MOST_DRAWS))
    each = min(kept, -(-number // chains))
    index = np.linspace(0, kept - 1, each).round().astype(int)
    return np.ascontiguousarray(draws[:, index].reshape(-1, dim))
