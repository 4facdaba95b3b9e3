"""A comparison as text: for people, for pull requests, for programs and for continuous integration services.

Every format says what is in `mcmc_bench.comparison.model` and nothing more. Must not know how anything is decided.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcmc_bench.comparison.model import Comparison

FORMATS = ("text", "markdown", "json", "junit", "github")


def render(comparison: Comparison, format_: str, *, limit: int | None = None, whole: str = "") -> str:
    """The text of a comparison in one of `FORMATS`.

    Args:
        comparison: what was found.
        format_: one of `FORMATS`.
        limit: of markdown, in characters; by default that of a comment on GitHub.
        whole: where all cells are, in words, for markdown that leaves some out; by default the command that shows them.
    """
    if format_ == "text":
        from mcmc_bench.comparison.formats import text

        return text.render(comparison)
    if format_ == "markdown":
        from mcmc_bench.comparison.formats import markdown

        return markdown.render(comparison, limit=limit or markdown.COMMENT_LIMIT, whole=whole)
    if format_ == "json":
        return _json(comparison)
    if format_ == "junit":
        from mcmc_bench.comparison.formats import junit

        return junit.render(comparison)
    if format_ == "github":
        from mcmc_bench.comparison.formats import github

        return github.render(comparison)
    raise ValueError(f"format = {format_!r} must be one of {', '.join(FORMATS)}")


def _json(comparison: Comparison) -> str:
    text = json.dumps(comparison.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    # Halves of surrogate pairs come from file names that are no UTF-8; unescaped they cannot be written.
    return re.sub(r"[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)
