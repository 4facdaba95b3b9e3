"""A comparison for GitHub Actions: annotations as workflow commands, and the summary of the job.

Must not know how anything is decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mcmc_bench.comparison.formats import markdown, sentences
from mcmc_bench.comparison.formats.sentences import clipped
from mcmc_bench.comparison.model import Comparison

#: GitHub shows this many errors, and as many warnings, of one step.
MOST_ANNOTATIONS = 10
TITLE_LENGTH, MESSAGE_LENGTH, NAMES = 200, 2_500, 10
#: GitHub drops summaries of more than 1 MiB whole.
SUMMARY_LIMIT = 1_000_000

Level = Literal["error", "warning", "notice"]


def render(comparison: Comparison) -> str:
    """Annotations, worst first, and a line with the verdict."""
    annotations = list(_annotations(comparison))
    hidden = len(annotations) - MOST_ANNOTATIONS
    more = f" {sentences.count(hidden, 'annotation')} more not shown." if hidden > 0 else ""
    last = f"mcmc-bench: {clipped(sentences.verdict_sentence(comparison), MESSAGE_LENGTH)}{more}"
    return "\n".join([*annotations[:MOST_ANNOTATIONS], last]) + "\n"


def append_job_summary(comparison: Comparison, file: Path, *, whole: str = "") -> bool:
    """Append the comparison as Markdown to the file that GITHUB_STEP_SUMMARY names; keeps what is in it.

    Returns:
        Whether there was room: all that is in the file stays below GitHub's limit.
    """
    room = SUMMARY_LIMIT - (file.stat().st_size if file.exists() else 0) - 2
    if room < markdown.LEAST_LIMIT:
        return False
    text = markdown.render(comparison, limit=room, size=markdown.utf8_size, whole=whole)
    with file.open("ab") as summary:
        # An empty line ends whatever paragraph or table stands there.
        summary.write(b"\n\n" + text.encode("utf-8") if summary.tell() else text.encode("utf-8"))
    return True


def _annotations(comparison: Comparison) -> Iterator[str]:
    yield from _of_the_suite(comparison, "regression", "error")
    if comparison.only_baseline:
        missing = comparison.only_baseline
        more = f" and {len(missing) - NAMES:,} more" if len(missing) > NAMES else ""
        names = "; ".join(clipped(name, TITLE_LENGTH) for name in missing[:NAMES])
        yield _command("error", f"missing: {sentences.count(len(missing), 'cell')} of the baseline", f"{names}{more}")
    yield from _of_cells(comparison, "regression", "error")
    yield from _of_the_suite(comparison, "inconclusive", "warning")
    yield from _of_cells(comparison, "inconclusive", "warning")
    for cell, finding in sentences.warnings(comparison):
        yield _command("warning", f"warning, decides nothing: {cell.label}", finding.words)
    if comparison.verdict not in ("regression", "inconclusive"):
        yield _command("notice", f"mcmc-bench: {comparison.verdict}", sentences.verdict_sentence(comparison))


def _of_the_suite(comparison: Comparison, verdict: str, level: Level) -> Iterator[str]:
    for finding in sentences.worrying(comparison.overall):
        # The cells that are missing have an annotation with their names.
        if finding.verdict == verdict and not (finding.question == "present" and comparison.only_baseline):
            yield _command(level, f"{verdict}: the suite as a whole", finding.words)


def _of_cells(comparison: Comparison, verdict: str, level: Level) -> Iterator[str]:
    for cell in comparison.cells:
        if cell.verdict == verdict:
            yield _command(level, f"{verdict}: {cell.label}", sentences.sentences(sentences.worrying(cell.findings)))


def _command(level: Level, title: str, message: str) -> str:
    title = _escaped(clipped(title, TITLE_LENGTH)).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={title}::{_escaped(clipped(message, MESSAGE_LENGTH))}"


def _escaped(text: str) -> str:
    """As GitHub's own toolkit does it; there are no line breaks left in `text`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
