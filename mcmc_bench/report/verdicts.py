"""The separate verdicts on a cell, as the page words them: titles, questions and signs.

Must not know how anything is judged.
"""

from __future__ import annotations

#: By verdict: its title and the question that it answers.
VERDICTS = {
    "exact_kernel": ("Exact kernel", "Does the kernel keep the target, as declared?"),
    "unbiased": ("Unbiased", "Is no bias of a known quantile seen at this setting, and would one be seen?"),
    "all_modes": ("All modes", "Is every known mode found?"),
    "weights": ("Weights", "Do the modes hold their true shares of the draws?"),
    "spread": ("Spread", "Is the spread within modes the true one?"),
    "diagnostics_honest": ("Diagnostics honest", "Did R-hat and ESS raise an alarm where the answer is wrong?"),
    "efficiency": (
        "Efficiency",
        "Place by real ESS per evaluation, among cells that pass the verdicts on their answer.",
    ),
}
#: The verdicts that say whether the answer is right.
OF_THE_ANSWER = ("unbiased", "all_modes", "weights", "spread")
#: The sign and the word that a verdict shows beside its colour.
SIGNS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not applicable": "–"}
SHORT = {"pass": "pass", "fail": "fail", "inconclusive": "unclear", "not applicable": "n/a"}
