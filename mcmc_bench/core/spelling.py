"""Error messages for unknown names: say what was given and the nearest right spelling.

Must not know what is being named.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def unknown(what: str, given: str, known: Sequence[str]) -> str:
    """One sentence that names the unknown thing, the nearest known one and all known ones."""
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"unknown {what}: {given!r}{hint} Known: {', '.join(sorted(known)) or 'none'}."
