"""Keys of what a run keeps: a hash of everything that determines the numbers of a cell, or the facts of a target.

Must not know what is stored under them, nor how cells are run.
"""

from __future__ import annotations

import functools
from pathlib import Path

from mcmc_bench.catalog.files import Folders, sampler_files, target_files
from mcmc_bench.core.identity import engine_fingerprint, hash_files
from mcmc_bench.core.json_form import identity_hash
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.kernels.jit import ENGINE_FOLDER


def cell_key(plan: CellPlan, folders: Folders) -> str:
    """The key of a finished cell; samplers that are built in are in the engine."""
    sampler = sampler_files(folders.samplers)[plan.sampler]
    own = "" if sampler.is_relative_to(ENGINE_FOLDER) else f" {hash_files(sampler.parent.glob('*.py'))}"
    return plan.identity(_target_sources(plan, folders) + own)


def facts_key(plan: CellPlan, folders: Folders) -> str:
    """The key of what is stored about the target of `plan`."""
    return identity_hash([plan.target, plan.target_parameters, _target_sources(plan, folders)])


def _target_sources(plan: CellPlan, folders: Folders) -> str:
    return _sources_in(target_files(folders.further_targets)[plan.target].parent)


@functools.cache
def _sources_in(folder: Path) -> str:
    return f"{engine_fingerprint()} {hash_files(folder.glob('*.py'))} {hash_files(folder.glob('data/*.*'))}"
