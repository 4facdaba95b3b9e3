"""Checkpoints of a run in its folder: finished cells with their draws, and facts of targets.

The parent of a run alone writes here. Must not know how cells are run, nor the results that are made of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.json_form import from_json, to_json
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, TargetFacts
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.keys import cell_key, facts_key
from mcmc_bench.experiments.loading import TargetIdentity
from mcmc_bench.experiments.target_facts import Described
from mcmc_bench.experiments.worker import CellOutput

#: Files that a run makes in its folders, named by a hash; a leading dot for those that a crash left half-written.
#: Nothing else is ever removed: people keep files of their own beside them.
_MADE = re.compile(r"([0-9a-f]{12})\.(?:json|npz|nc)|\.[0-9a-f]{12}\.(?:json|npz|nc)\..+")


class Checkpoints:
    """The cells and the targets of one run, as far as they are there.

    Attributes:
        plans: key to plan of every cell of the run, in the suite's order.
        cells: key to cell, of those that are done.
        targets: label to facts, of targets that are described.
        unseen: key to reason, of cells whose inputs may have changed without being seen: an earlier run's is not taken,
            nor theirs by a later one.
    """

    def __init__(
        self,
        folder: Path,
        plans: Collection[CellPlan],
        identities: Mapping[str, TargetIdentity],
        folders: Folders,
        *,
        keep_draws: bool,
    ) -> None:
        self.folder, self.folders, self.keep_draws = folder, folders, keep_draws
        self.identities = identities  # by label of the target
        self.plans: dict[str, CellPlan] = {}
        self.unseen: dict[str, str] = {}
        for plan in plans:
            key, unseen = cell_key(plan, identities[plan.target_label], folders)
            self.plans[key] = plan
            if unseen:
                self.unseen[key] = unseen
        self.cells: dict[str, Cell] = {}
        self.targets: dict[str, TargetFacts] = {}

    @property
    def todo(self) -> dict[str, CellPlan]:
        """Key to plan of the cells that are not done."""
        return {key: plan for key, plan in self.plans.items() if key not in self.cells}

    @property
    def undescribed(self) -> list[CellPlan]:
        """A plan of each target that is not described."""
        return list(
            {plan.target_label: plan for plan in self.plans.values() if plan.target_label not in self.targets}.values()
        )

    # ------------------------------------------------------------ read

    def read(self) -> None:
        """Take over the finished cells and the facts that an earlier run has left in the folder."""
        for key, plan in self.todo.items():
            if (cell := self._stored_cell(key, plan)) is not None:
                self.cells[key] = cell
        for plan in self.undescribed:
            if (facts := self._stored_facts(plan)) is not None:
                self.targets[plan.target_label] = facts

    def _stored_cell(self, key: str, plan: CellPlan) -> Cell | None:
        """The finished cell of an earlier run, with its figure draws, or None."""
        if key in self.unseen:
            return None
        try:
            cell = from_json(Cell, json.loads(self._file("cells", key, "json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # absent, or of another version: run it again
        if cell.outcome is Outcome.FINISHED:
            wanted = ["npz", "nc"] if self.keep_draws else ["npz"]
            if not all(self._file("draws", key, ending).is_file() for ending in wanted):
                return None
        # What the suite calls it, and which settings compete, may have changed without changing a number.
        return replace(
            cell, experiment=plan.experiment, sweep=plan.sweep, swept=list(plan.swept), selected=plan.sweep is None
        )

    def _stored_facts(self, plan: CellPlan) -> TargetFacts | None:
        """The facts of an earlier run, with their portrait, or None."""
        identity = self.identities[plan.target_label]
        if identity.unseen:
            return None
        file = self._file("targets", facts_key(plan, identity), "json")
        try:
            facts = from_json(TargetFacts, json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        return facts if self._file("targets", facts.key, "npz").is_file() else None

    # ------------------------------------------------------------ write

    def keep_cell(self, key: str, done: CellOutput) -> None:
        """Count a cell as done, and store it unless it should be tried again, or is not what its key says."""
        if done.changed:
            self.unseen.setdefault(key, done.changed)
        if done.figure is not None:
            write_atomically(self._file("draws", key, "npz"), done.figure)
        if done.draws is not None:
            write_atomically(self._file("draws", key, "nc"), done.draws)
        text = json.dumps(to_json(done.cell))
        if not done.cell.outcome.failed and not done.changed:
            write_atomically(self._file("cells", key, "json"), text.encode())
        # As it will be read when the run is resumed: what is concluded from it must not depend on that.
        self.cells[key] = from_json(Cell, json.loads(text))

    def keep_facts(self, plan: CellPlan, described: Described) -> None:
        """Store the facts and the portrait of the target of `plan`, as what it was when it was described."""
        key = facts_key(plan, described.identity)
        facts = self.targets[plan.target_label] = replace(described.facts, key=key)
        write_atomically(self._file("targets", key, "npz"), described.portrait)
        write_atomically(self._file("targets", key, "json"), json.dumps(to_json(facts)).encode())

    # ------------------------------------------------------------ remove

    def remove_all(self) -> None:
        """Remove all that runs have stored in the folder."""
        self._remove(("cells", "draws", "targets"), ())

    def remove_others(self) -> None:
        """Remove cells and draws of other settings."""
        self._remove(("cells", "draws"), self.plans)

    def _remove(self, kinds: tuple[str, ...], keep: Collection[str]) -> None:
        for kind in kinds:
            for file in (self.folder / kind).glob("*"):
                made = _MADE.fullmatch(file.name)
                if made is not None and made[1] not in keep:
                    file.unlink()

    def _file(self, kind: str, name: str, ending: str) -> Path:
        return self.folder / kind / f"{name}.{ending}"
