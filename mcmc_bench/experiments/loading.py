"""The target and the sampler of a plan, loaded once a process, and what they were then.

Knows the catalog. Must not know what is done with them.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from mcmc_bench.catalog import stored_truth
from mcmc_bench.catalog.files import Folders, load_sampler, load_target, target_files
from mcmc_bench.catalog.modules import forget
from mcmc_bench.core.identity import documentation_of
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target, target_label
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.tokens import NoFingerprintError


@dataclass(frozen=True)
class TargetIdentity:
    """The identity of a target, as hashes."""

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


def target_of(plan: CellPlan, folders: Folders) -> Target:
    """The target of `plan`, whose stored truth is verified to be of it."""
    return _target(*_asked(plan, folders))[0]


def identity_of(plan: CellPlan, folders: Folders) -> TargetIdentity:
    """The identity of the target of `plan` when it was built: what is done with it may fill its tables."""
    return _target(*_asked(plan, folders))[1]


def sampler_of(plan: CellPlan, folders: Folders) -> Sampler:
    """The sampler of `plan`."""
    return load_sampler(plan.sampler, samplers_folder=folders.samplers)


def fingerprint_of_sampler(plan: CellPlan, folders: Folders) -> tuple[str, str]:
    """The fingerprint of the sampler of `plan` when it was first asked for, and why there is none."""
    return _sampler_fingerprint(sampler_of(plan, folders))


@functools.cache
def _sampler_fingerprint(sampler: Sampler) -> tuple[str, str]:
    try:
        return fingerprint(sampler, sampler.name), ""
    except NoFingerprintError as error:
        return "", str(error)


def _asked(plan: CellPlan, folders: Folders) -> tuple[str, str, Path | None]:
    return plan.target, json.dumps(dict(plan.target_parameters)), folders.targets  # a list is no key of a cache


@functools.lru_cache(maxsize=8)
def _target(name: str, parameters: str, folder: Path | None) -> tuple[Target, TargetIdentity]:
    # One object for all cells of a target: what is compiled and drawn for comparison is made once a process.
    given, file = json.loads(parameters), target_files(() if folder is None else (folder,)).get(name)
    if file is not None:
        forget(file, target_label(name, given))  # what has been done with an earlier one may have filled its tables
    target = load_target(name, targets_folder=folder, **given)
    stored_truth.verify(target, target_files(() if folder is None else (folder,))[name])
    return target, TargetIdentity.of(target)


def forget_all() -> None:
    """Build targets anew from now on, and look at samplers: they may have changed since a run in this process."""
    _target.cache_clear()
    _sampler_fingerprint.cache_clear()
