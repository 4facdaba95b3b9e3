"""Compares two runs of the same cells: still correct? still as efficient? And says so in several formats.

Only reads: knows results. Must not know any particular target or sampler, nor how
runs are made.
"""

from mcmc_bench.comparison.decide import Rule, compare
from mcmc_bench.comparison.model import (
    CellComparison,
    Comparison,
    Finding,
    NothingComparedError,
    Side,
)
from mcmc_bench.comparison.pool import measured_efficiency

__all__ = [
    "CellComparison",
    "Comparison",
    "Finding",
    "NothingComparedError",
    "Rule",
    "Side",
    "compare",
    "measured_efficiency",
]
