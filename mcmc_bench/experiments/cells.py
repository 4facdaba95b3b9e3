"""The plan of one cell: everything that determines its numbers, but for the sources.

Must not know suites as files, nor how cells are run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcmc_bench.core.json_form import identity_hash
from mcmc_bench.core.kinds import StartName
from mcmc_bench.core.target import target_label

#: Fields that stand under another name in `CellPlan.match`, which stored baselines are found by.
_NAMES_IN_MATCH = {"warmup_share": "burn_in", "mass_matrix": "metric"}


@dataclass(frozen=True)
class CellPlan:
    """One cell to run: everything that determines its numbers, but for the sources."""

    experiment: str
    target: str
    target_parameters: Mapping[str, Any]
    sampler: str
    settings: Mapping[str, float]  # complete, in the sampler's order
    inverse_mass_matrix: tuple[float, ...] | None
    start: StartName
    budget: int
    warmup_share: float
    chains: int
    replicates: int
    selection_replicates: int
    max_draws: int
    time_limit: float
    metrics: tuple[str, ...] | None
    seed: str
    tuning: int = 0  # target evaluations of each chain that are spent on tuning, on top of the budget
    mass_matrix: str = "diagonal"  # that is tuned, where the sampler can
    fixed: tuple[str, ...] = ()  # settings that the suite gives: they are not tuned
    swept: tuple[str, ...] = ()  # names of the settings that vary within the sweep
    sweep: str | None = None  # name of the sweep, shared by the cells that compete

    @property
    def target_label(self) -> str:
        """Name and parameters of the target."""
        return target_label(self.target, self.target_parameters)

    @property
    def label(self) -> str:
        """One line for people: target, sampler, start and what is swept."""
        values = ", ".join(f"{name}={self.settings[name]:g}" for name in self.swept)
        return f"{self.target_label} · {self.sampler}" + (f"({values})" if values else "") + f" · {self.start}"

    def identity(self, sources: str) -> str:
        """Hash of everything that determines the numbers; `sources` is the hash of engine and content.

        The time limit is left out: it decides whether there are numbers, not which. Of the sweep counts whether there
        is one: only cells that compete are scored, and one without a score could never be chosen.
        """
        content = {name: value for name, value in vars(self).items() if name not in ("time_limit", "sweep", "swept")}
        return identity_hash({**content, "competes": self.sweep is not None, "sources": sources})

    @property
    def match(self) -> str:
        """Hash of what is asked for, whatever the sources, the seed and the replicates: the same cell of another run."""
        left_out: tuple[str, ...] = (
            "time_limit",
            "sweep",
            "swept",
            "seed",
            "replicates",
            "selection_replicates",
            "metrics",
        )
        if self.tuning == 0:  # then nothing that has to do with it changes a number
            left_out += ("tuning", "mass_matrix", "fixed")
        return identity_hash(
            {_NAMES_IN_MATCH.get(name, name): value for name, value in vars(self).items() if name not in left_out}
        )
