"""Pages as one file each, from templates: the report, comparisons, the history and the gallery share style, script and head.

Must not know what a page shows.
"""

from __future__ import annotations

from pathlib import Path

import jinja2

from mcmc_bench.report import numbers

TEMPLATES = Path(__file__).parent / "templates"


def environment(*folders: str | Path) -> jinja2.Environment:
    """An environment whose templates come from `folders`, and from what all pages share.

    A page extends ``base.html.j2``, which needs `palette`, the colours of the page. What a template does not know is an
    error, and every text is escaped.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {
        "count": numbers.count,
        "in_sentence": numbers.in_sentence,
        "listing": numbers.listing,
        "number": numbers.number,
        "percent": numbers.percent,
        "plain": numbers.plain_name,
        "sampler": numbers.sampler_name,
        "with_interval": numbers.with_interval,
    }
    return made
