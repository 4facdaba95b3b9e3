"""Which MCMC sampler is right for which density, with evidence.

The public names are imported on first use, so that ``import mcmc_bench`` and ``mcmc-bench --help`` cost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcmc_bench.api import sample
    from mcmc_bench.bridges import from_numpy, from_pymc, from_stan
    from mcmc_bench.catalog import list_samplers, list_targets, load_sampler, load_target
    from mcmc_bench.checking import check
    from mcmc_bench.comparison import Rule, compare
    from mcmc_bench.metrics import evaluate
    from mcmc_bench.report import write_report
    from mcmc_bench.results import Results
    from mcmc_bench.running import run
    from mcmc_bench.suite import load_suite
    from mcmc_bench.target import Modes, Natural, Target, Truth, block_density, point_density

__version__ = "0.1.0"

_HOME = {
    "sample": "api",
    "from_numpy": "bridges",
    "from_pymc": "bridges",
    "from_stan": "bridges",
    "list_samplers": "catalog",
    "list_targets": "catalog",
    "load_sampler": "catalog",
    "load_target": "catalog",
    "check": "checking",
    "Rule": "comparison",
    "compare": "comparison",
    "evaluate": "metrics",
    "write_report": "report",
    "Results": "results",
    "run": "running",
    "load_suite": "suite",
    "Modes": "target",
    "Natural": "target",
    "Target": "target",
    "Truth": "target",
    "block_density": "target",
    "point_density": "target",
}

__all__ = [
    "Modes",
    "Natural",
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
