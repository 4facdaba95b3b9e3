"""Finds what is wrong with a target, and a fix for each problem.

Every stage runs in a worker process with a time limit, so that a density that loops, raises or crashes is named and never
waited for. Must not know any particular target.
"""

from mcmc_bench.checks.density.findings import Remark, Report
from mcmc_bench.checks.density.stages import check

__all__ = ["Remark", "Report", "check"]
