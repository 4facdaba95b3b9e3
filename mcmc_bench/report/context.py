"""The context of a section: the results, the selection of their cells, and a place for figure files.

Must not know which sections there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from mcmc_bench.core.results import Results
from mcmc_bench.report.figures.writer import FigureWriter
from mcmc_bench.report.selection import Selection


class Context:
    """Given to every section of one report.

    Attributes:
        results: what is reported.
        selection: which of their cells are shown where, and how samplers look.
        figures: writes figure files.
        announce: tells whoever waits what is being done.
    """

    def __init__(self, results: Results, folder: Path, announce: Callable[[str], None]) -> None:
        self.results = results
        self.selection = Selection(results)
        self.figures = FigureWriter(folder, self.selection.looks)
        self.announce = announce

    @cached_property
    def slugs(self) -> dict[str, str]:
        """The part of addresses and file names that stands for a target, by target; no two are the same."""
        found: dict[str, str] = {}
        for target in self.results.targets:
            slug = slug_of(target)
            found[target] = slug if slug not in found.values() else f"{slug}-{len(found)}"
        return found


def slug_of(text: str) -> str:
    """A label as part of an address or a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "target"
