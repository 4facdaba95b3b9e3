"""Finds the right MCMC sampler for a density, with evidence.

The public names are imported on first use, so that ``import mcmc_bench`` and ``mcmc-bench --help`` cost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcmc_bench.catalog.files import list_samplers, list_targets, load_sampler, load_target
    from mcmc_bench.checks.density import check
    from mcmc_bench.comparison import Rule, compare
    from mcmc_bench.core.results import Results
    from mcmc_bench.core.target import Constrained, Modes, Target, Truth, block_density, point_density
    from mcmc_bench.densities import from_numpy, from_pymc, from_stan
    from mcmc_bench.experiments.run import run
    from mcmc_bench.experiments.suite import load_suite
    from mcmc_bench.metrics import evaluate
    from mcmc_bench.report import write_report
    from mcmc_bench.sampling.api import sample

__version__ = "0.1.0"

_HOME = {
    "sample": "sampling.api",
    "from_numpy": "densities",
    "from_pymc": "densities",
    "from_stan": "densities",
    "list_samplers": "catalog.files",
    "list_targets": "catalog.files",
    "load_sampler": "catalog.files",
    "load_target": "catalog.files",
    "check": "checks.density",
    "Rule": "comparison",
    "compare": "comparison",
    "evaluate": "metrics",
    "write_report": "report",
    "Results": "core.results",
    "run": "experiments.run",
    "load_suite": "experiments.suite",
    "Constrained": "core.target",
    "Modes": "core.target",
    "Target": "core.target",
    "Truth": "core.target",
    "block_density": "core.target",
    "point_density": "core.target",
}

__all__ = [
    "Constrained",
    "Modes",
    "Results",
    "Rule",
    "Target",
    "Truth",
    "__version__",
    "block_density",
    "check",
    "compare",
    "evaluate",
    "from_numpy",
    "from_pymc",
    "from_stan",
    "list_samplers",
    "list_targets",
    "load_sampler",
    "load_suite",
    "load_target",
    "point_density",
    "run",
    "sample",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mcmc_bench' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mcmc_bench.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
