"""Metrics: from draws and a target's truth to values with intervals, curves and verdicts.

Knows draws, targets and results. Must not know any particular target or sampler, nor how runs are driven.
"""

from mcmc_bench.metrics.cell import evaluate_cell
from mcmc_bench.metrics.estimates import selection_score
from mcmc_bench.metrics.evaluate import evaluate
from mcmc_bench.metrics.evidence import Measurement, measure, summarise
from mcmc_bench.metrics.listing import definitions, group_names
from mcmc_bench.metrics.reference import Reference, principal_components
from mcmc_bench.metrics.score_error import fields, score_error
from mcmc_bench.metrics.verdicts import judge, verdict_definitions

__all__ = [
    "Measurement",
    "Reference",
    "definitions",
    "evaluate",
    "evaluate_cell",
    "fields",
    "group_names",
    "judge",
    "measure",
    "principal_components",
    "score_error",
    "selection_score",
    "summarise",
    "verdict_definitions",
]
