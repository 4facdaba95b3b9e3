"""The origin of the results: the command, versions and machine, and the suite's text.

Must not know what any entry means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmc_bench.report.context import Context

TITLE, ORDER = "Provenance", 100


def build(context: Context) -> Mapping[str, Any]:
    """The entries of the provenance."""
    return {"origin": context.results.provenance}
