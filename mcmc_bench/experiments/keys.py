"""Keys of what a run keeps: a hash of everything that determines the numbers of a cell, or the facts of a target.

Must not know what is stored under them, nor how cells are run.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.identity import documentation_of, engine_fingerprint
from mcmc_bench.core.json_form import identity_hash
from mcmc_bench.core.target import Target
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.loading import sampler_of
from mcmc_bench.kernels.fingerprint import NoFingerprintError, fingerprint


class ChangedError(RuntimeError):
    """What a cell is computed from has changed while a run was going on."""


@dataclass(frozen=True)
class TargetIdentity:
    """What a target is, as hashes."""

    numbers: str = ""  # of all that determines a number; empty where there is none
    facts: str = ""  # of that and of what is said about it
    unseen: str = ""  # why there is none

    @classmethod
    def of(cls, target: Target) -> TargetIdentity:
        """The identity of a target."""
        try:
            numbers = fingerprint(target, target.label)
        except NoFingerprintError as error:
            return cls(unseen=str(error))
        return cls(numbers, fingerprint((numbers, documentation_of(target))))


def cell_key(plan: CellPlan, identity: TargetIdentity, folders: Folders) -> tuple[str, str]:
    """The key of a cell, and why there may be another cell with this key; empty if there is none."""
    unseen = identity.unseen
    try:
        sampler = fingerprint(sampler_of(plan, folders), plan.sampler)
    except NoFingerprintError as error:
        sampler, unseen = "", str(error)
    return plan.identity(f"{engine_fingerprint()} {identity.numbers} {sampler}"), unseen


def check_unchanged(plan: CellPlan, key: str, target: Target, folders: Folders) -> None:
    """See that `key` is that of the target and the sampler as they are now, and not as they were when the run began.

    Raises:
        ChangedError: they are others.
    """
    now = (cell_key(plan, identity, folders)[0] for identity in (TargetIdentity.of(target), TargetIdentity()))
    if key not in now:
        raise ChangedError(f"{plan.target_label} or {plan.sampler} has changed since the run began: run it again")


def facts_key(plan: CellPlan, identity: TargetIdentity) -> str:
    """The key of what is stored about the target of `plan`."""
    return identity_hash([plan.target, plan.target_parameters, engine_fingerprint(), identity.facts])
