"""The target and the sampler of a plan, loaded once a process.

Knows the catalog. Must not know what is done with them.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

from mcmc_bench.catalog import stored_truth
from mcmc_bench.catalog.files import Folders, load_sampler, load_target, target_files
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target
from mcmc_bench.experiments.cells import CellPlan


def target_of(plan: CellPlan, folders: Folders) -> Target:
    """The target of `plan`, whose stored truth is verified to be of it."""
    return _target(
        plan.target, json.dumps(dict(plan.target_parameters)), folders.targets
    )  # a list is no key of a cache


def sampler_of(plan: CellPlan, folders: Folders) -> Sampler:
    """The sampler of `plan`."""
    return load_sampler(plan.sampler, samplers_folder=folders.samplers)


@functools.lru_cache(maxsize=8)
def _target(name: str, parameters: str, folder: Path | None) -> Target:
    # One object for all cells of a target: what is compiled and drawn for comparison is made once a process.
    target = load_target(name, targets_folder=folder, **json.loads(parameters))
    stored_truth.verify(target, target_files(() if folder is None else (folder,))[name])
    return target


def forget_targets() -> None:
    """Build targets anew from now on: their files may have changed since a run in this process."""
    _target.cache_clear()
