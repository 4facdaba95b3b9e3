"""A comparison as a comment on a pull request, or as the summary of a job: short enough for either, worst first.

Names and messages come from other people's files: none of them may become markup, a link, or a mention of anyone.
Must not know how anything is decided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mcmc_bench.comparison.formats import sentences
from mcmc_bench.comparison.formats.sentences import clipped
from mcmc_bench.comparison.model import CellComparison, Comparison, Decision

#: GitHub takes comments of 65,536 characters.
COMMENT_LIMIT = 64_900
#: Shorter than this it could not be whole: headings, and the line that says what is left out.
LEAST_LIMIT = 2_000
SIGNS: dict[Decision, str] = {"regression": "❌", "inconclusive": "⚠️", "pass": "✅", "not measured": "➖"}
NAME_LENGTH, SENTENCE_LENGTH, NAMES = 300, 1_000, 10
#: For headings, what closes the details, and the line that says what is left out.
RESERVED = 900
WORST_TITLES = ("Verdict", "Cell", "What was found", "Correctness", "Efficiency", "Low error", "Time")
TITLES = ("Verdict", "Cell", "Correctness", "Efficiency", "Low error", "Time")

#: What Markdown or GitHub may take for more than itself: signs of markup, underscores at the edge of a word, mentions,
#: numbers of issues (#1, GH-1), addresses (://), short names of emoji (:+1:), and "www.".
_MARKUP = re.compile(
    r"[&<>\\`*\[\]|~$^{}!@#]|(?<!\w)_|_(?!\w)|:(?=//|[\w+-]+:)|(?<=www)\.|(?<=GH)-(?=\d)", re.IGNORECASE
)
#: What would begin a list, or be a line across the page.
_BULLET = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+=]))(.)")
#: After these a space without width: a character reference keeps Markdown from making a link, but GitHub looks for
#: mentions once more in the text as it is shown.
_APART = "@#:.-"


def render(
    comparison: Comparison, *, limit: int = COMMENT_LIMIT, size: Callable[[str], int] = len, whole: str = ""
) -> str:
    """The comparison as GitHub's Markdown.

    Args:
        comparison: what was found.
        limit: of the size, at least `LEAST_LIMIT`. Passing cells are left out first, then what is not decided.
        size: of a text: characters, or bytes.
        whole: where all cells are, in words; by default the command that shows them.
    """
    if limit < LEAST_LIMIT:
        raise ValueError(f"limit = {limit} must be at least {LEAST_LIMIT}")
    head = _fitting(_head(comparison), (limit - RESERVED) // 4, size)
    foot = _fitting(_foot(comparison), (limit - RESERVED) // 6, size)
    room = limit - RESERVED - size("\n".join([*head, *foot]))
    cells = sentences.by_severity(comparison.cells)
    worst = [cell for cell in cells if cell.verdict in ("regression", "inconclusive")]
    right = cells[len(worst) :]
    table = _fitting(_worst_table(worst), room, size)
    left_out = worst[max(0, len(table) - 3) :]
    details: list[str] = []
    if left_out or not right:
        left_out = [*left_out, *right]
    else:
        details = _fitting(_right_table(right), room - size("\n".join(table)), size)
        left_out = right[max(0, len(details) - 3) :]
        details = _folded(right, details, left_out)
    said = _left_out(left_out, whole or sentences.command(comparison), size) if left_out else []
    return "\n".join([*head, *(table if len(table) > 3 else []), *said, *details, *foot]) + "\n"


def escape(text: str) -> str:
    """`text` so that Markdown shows it as it is, on one line, and GitHub links nothing in it."""

    def reference(match: re.Match[str]) -> str:
        character = match[0]
        return f"&#{ord(character)};" + ("&#8203;" if character in _APART else "")

    text = _MARKUP.sub(reference, sentences.one_line(text))
    return _BULLET.sub(lambda match: f"{match[1]}&#{ord(match[2])};", text)


def utf8_size(text: str) -> int:
    """Bytes of a text in a file."""
    return len(text.encode("utf-8"))


def _fitting(lines: Sequence[str], room: int, size: Callable[[str], int]) -> list[str]:
    """As many of the first lines as there is room for."""
    fitting = []
    for line in lines:
        room -= size(line) + 1
        if room < 0:
            break
        fitting.append(line)
    return fitting


def _head(comparison: Comparison) -> list[str]:
    lines = [f"## {SIGNS[comparison.verdict]} mcmc-bench: {comparison.verdict}", ""]
    lines += [f"**{_sentence(sentences.verdict_sentence(comparison))}**", ""]
    lines += [f"- {_sentence(sentence)}" for sentence in comparison.summary[1:]]
    lines += [
        f"- {SIGNS[found.verdict]} {found.verdict}: {_sentence(found.words)}" for found in sentences.unsaid(comparison)
    ]
    lines += _names("Only in the baseline", comparison.only_baseline)
    if not comparison.cells:
        lines += ["", "No cell was compared."]
    return lines


def _foot(comparison: Comparison) -> list[str]:
    warnings = list(sentences.warnings(comparison))
    lines = _names(
        "Warnings, which decide nothing", [f"{cell.label}: {found.words}" for cell, found in warnings], SENTENCE_LENGTH
    )
    lines += _names("Only in the candidate", comparison.only_candidate)
    lines += _names("Reasons why something was not measured", sentences.unmeasured(comparison), SENTENCE_LENGTH)
    lines += ["", *(f"- {_sentence(line)}" for line in sentences.background(comparison))]
    return lines + [f"- {_sentence(note)}" for note in comparison.notes]


def _names(title: str, names: Sequence[str], length: int = NAME_LENGTH) -> list[str]:
    if not names:
        return []
    lines = ["", f"**{title}: {len(names):,}**", "", *(f"- {escape(clipped(name, length))}" for name in names[:NAMES])]
    return lines + ([f"- … and {len(names) - NAMES:,} more"] if len(names) > NAMES else [])


def _sentence(text: str) -> str:
    return escape(clipped(text, SENTENCE_LENGTH))


def _worst_table(cells: Sequence[CellComparison]) -> list[str]:
    def row(cell: CellComparison) -> list[str]:
        return [_name(cell), _sentence(sentences.sentences(sentences.worrying(cell.findings))), *_numbers(cell)]

    return _table(WORST_TITLES, [(cell, row(cell)) for cell in cells])


def _right_table(cells: Sequence[CellComparison]) -> list[str]:
    return _table(TITLES, [(cell, [_name(cell), *_numbers(cell)]) for cell in cells])


def _name(cell: CellComparison) -> str:
    return escape(clipped(cell.label, NAME_LENGTH))


def _numbers(cell: CellComparison) -> list[str]:
    return [escape(number) for number in sentences.numbers(cell)]


def _table(titles: Sequence[str], rows: Sequence[tuple[CellComparison, list[str]]]) -> list[str]:
    """An empty line, two lines of heading, and a line for each row."""
    if not rows:
        return []
    lines = [f"| {SIGNS[cell.verdict]} {cell.verdict} | {' | '.join(texts)} |" for cell, texts in rows]
    return ["", f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}", *lines]


def _folded(cells: Sequence[CellComparison], table: Sequence[str], left_out: Sequence[CellComparison]) -> list[str]:
    """The table behind a line that opens it."""
    shown = cells[: len(cells) - len(left_out)]
    if not shown:
        return []
    opening = ["", f"<details><summary>{SIGNS['pass']} The others: {sentences.tally(shown)}</summary>"]
    return [*opening, *table, "", "</details>"]


def _left_out(cells: Sequence[CellComparison], whole: str, size: Callable[[str], int]) -> list[str]:
    are = "is" if len(cells) == 1 else "are"
    text = f"**{sentences.count(len(cells), 'cell')} {are} left out here: {sentences.tally(cells)}.**"
    where = f" All of them: {escape(whole)}" if whole else " All of them are in the other formats."
    return ["", text + where if size(where) <= RESERVED // 2 else f"{text} All of them are in the other formats.", ""]
