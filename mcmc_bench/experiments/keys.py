"""Keys of what a run keeps: a hash of everything that determines the numbers of a cell, or the facts of a target.

Must not know what is stored under them, nor how cells are run.
"""

from __future__ import annotations

from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.identity import engine_fingerprint
from mcmc_bench.core.json_form import identity_hash
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.loading import TargetIdentity, fingerprint_of_sampler, identity_of


def cell_key(plan: CellPlan, identity: TargetIdentity, folders: Folders) -> tuple[str, str]:
    """The key of a cell, and why there may be another cell with this key; empty if there is none."""
    sampler, unseen = fingerprint_of_sampler(plan, folders)
    return plan.identity(f"{engine_fingerprint()} {identity.numbers} {sampler}"), unseen or identity.unseen


def change(plan: CellPlan, key: str, folders: Folders) -> str:
    """Why `key` is not that of the target and the sampler that are loaded here; empty where it is."""
    if key in (cell_key(plan, identity, folders)[0] for identity in (identity_of(plan, folders), TargetIdentity())):
        return ""
    return (
        f"{plan.target_label} or {plan.sampler} is not what it was when the run began: "
        "it has been edited since, or is made otherwise every time"
    )


def facts_key(plan: CellPlan, identity: TargetIdentity) -> str:
    """The key of what is stored about the target of `plan`."""
    return identity_hash([plan.target, plan.target_parameters, engine_fingerprint(), identity.facts])
