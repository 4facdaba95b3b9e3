"""The separate verdicts on a cell, as the page shows them: which of them decide on the answer, signs and short words.

Must not know how anything is judged.
"""

from __future__ import annotations

#: The verdicts that say whether the answer is right.
OF_THE_ANSWER = ("unbiased", "all_modes", "weights", "spread")
#: The sign and the word that a verdict shows beside its colour.
SIGNS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not applicable": "–"}
SHORT = {"pass": "pass", "fail": "fail", "inconclusive": "unclear", "not applicable": "n/a"}
