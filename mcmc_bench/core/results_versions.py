"""Brings the content of older ``results.json`` files to the present version, one step for each version.

Works on plain JSON, before it is checked and read. Must not know the classes that hold results today.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Keys of metrics and of costs in version 2, and their names since.
_KEYS = {
    "natural_bias_squared_average": "constrained_bias_squared_average",
    "natural_bias_squared_max": "constrained_bias_squared_max",
    "warm_up_evaluations": "warmup_evaluations",
    "warm_up_seconds": "warmup_seconds",
}
#: Arrays of draws and portraits in version 2, and their names since.
ARRAYS = {"film": "snapshots", "film_noise": "snapshots_noise"}

#: What version 3 stores with a definition and version 2 did not.
_SHOWN: dict[str, dict[str, Any]] = {
    "modes_found": {"percent": True, "verdict": "all_modes"},
    "mode_weight_error": {
        "percent": True,
        "printed": True,
        "card": "wrong mode",
        "verdict": "weights",
        "beside": "off by {}",
    },
    "within_mode_variance_ratio": {"printed": True, "card": "spread", "verdict": "spread"},
    "sliced_wasserstein_1": {"printed": True, "card": "distance"},
    "log_density_gap": {"printed": True},
    "efficiency": {"percent": True, "printed": True, "card": "efficiency", "verdict": "efficiency"},
    "largest_bias": {"verdict": "unbiased", "beside": "{} sd"},
    "r_hat_max": {"printed": True},
    "classes_found": {"percent": True, "card": "classes found"},
    "classes_per_chain": {"card": "classes per chain"},
    "distinct_data": {"percent": True, "card": "distinct"},
    "data_sliced_wasserstein": {"card": "distance to data"},
    "acceptance_rate": {"printed": True},
}
#: Likewise with the results as a whole.
_VERDICTS = {
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
#: The order of the page, which is that of the definitions since version 3.
_GROUPS = ("modes", "distance", "accuracy", "convergence", "examples", "diagnostics", "cost")


def _from_2(content: dict[str, Any]) -> None:
    definitions = sorted(content["definitions"].items(), key=lambda item: _GROUPS.index(item[1]["group"]))
    content["definitions"] = {_KEYS.get(key, key): {**one, **_SHOWN.get(key, {})} for key, one in definitions}
    content["verdicts"] = {key: {"title": title, "question": text} for key, (title, text) in _VERDICTS.items()}
    content["provenance"]["workers"] = content["provenance"].pop("threads")
    for cell in content["cells"]:
        cell["warmup_share"] = cell.pop("burn_in")
        cell["cost"] = {_KEYS.get(key, key): value for key, value in cell["cost"].items()}
        cell["metric_values"] = [
            {**value, "metric": _KEYS.get(value["metric"], value["metric"])} for value in cell.pop("rows")
        ]


#: By version: what brings it to the next, in place.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], None]] = {2: _from_2}


def migrated(content: dict[str, Any]) -> dict[str, Any]:
    """`content`, brought to the present version.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it does not follow the schema of its own version.
    """
    while (version := content["schema_version"]) in MIGRATIONS:
        MIGRATIONS[version](content)
        content["schema_version"] = version + 1
    return content
