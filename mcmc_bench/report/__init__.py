"""The report: from stored results to one self-contained page and its figures.

Reads `mcmc_bench.core.results` and nothing else of the engine: it must never import what runs.
"""

from __future__ import annotations

from mcmc_bench.report.page import write_report

__all__ = ["write_report"]
