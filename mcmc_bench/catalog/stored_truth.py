"""The truth of a target from a reference run, in a small text file beside the target, and some of its draws.

``NAME.reference.json`` holds the numbers with their standard errors, how they were made and which checks they passed;
``NAME.reference.npz`` holds thinned draws, for what needs draws and not numbers (floors, pictures). A target whose
`build` gives no truth gets it from there. Must not know how the runs are made.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import QUANTILE_LEVELS, Target, Truth

#: Starts at which the log density is remembered: a stored truth belongs to one density.
PROBES = 4
#: Relative difference of log densities that is another density and not rounding.
TOLERANCE = 1e-6
#: Stored draws may miss a stored quantile by this over √n: twelve standard errors of independent ones, they are nearly so.
MOST_OFF = 6.0
#: Significant digits in the file.
DIGITS = 8


#: Separators of folder names, on any system.
SEPARATORS = r"[/\\:]"


class StoredTruthError(ValueError):
    """A stored reference that cannot be read, or was made for another density; the message names the file."""


def json_file(target_file: Path, label: str) -> Path:
    """The file for the target `label` (name and parameters) whose own file is `target_file`.

    A parameter may be a path: its separators are replaced. `verify` compares the densities.
    """
    return target_file.with_name(re.sub(SEPARATORS, "_", label) + ".reference.json")


def draws_file(file: Path) -> Path:
    """The file of draws beside the file of numbers."""
    return file.with_suffix(".npz")


def fill(target: Target, target_file: Path) -> Target:
    """`target` with truth, constrained truth and reference draws from the stored run, if it has none of its own.

    Raises:
        StoredTruthError: a stored reference that cannot be read or does not fit.
    """
    file = json_file(target_file, target.label)
    if target.truth is not None or not file.is_file():
        return target
    stored = _read(file)
    if stored.get("quantile_levels") != list(QUANTILE_LEVELS):
        raise StoredTruthError(f"{file.name} has other quantile levels; {_again(target)}")
    try:
        log_density = {key: np.array(value) for key, value in stored["log_density"].items()}
        truth = dataclasses.replace(
            _truth(stored["coordinates"], stored["note"]),
            mean_log_density=float(log_density["mean"]),
            mean_log_density_standard_error=float(log_density["mean_standard_error"]),
            log_density_quantiles=log_density["quantiles"],
            log_density_quantile_share_standard_error=log_density["quantile_share_standard_error"],
        )
        constrained = target.constrained
        if constrained is not None and constrained.truth is None and "constrained" in stored:
            constrained = dataclasses.replace(constrained, truth=_truth(stored["constrained"], stored["note"]))
        with np.load(draws_file(file), allow_pickle=False) as kept:
            draws = kept["draws"].astype(np.float64)
        return dataclasses.replace(target, truth=truth, constrained=constrained, reference_draws=draws)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise StoredTruthError(
            f"{file.name} and its draws do not fit {target.label} ({type(error).__name__}: {error}); {_again(target)}"
        ) from error


def stored_for(target_file: Path, label: str) -> dict[str, Any] | None:
    """The stored content for a target, or None."""
    file = json_file(target_file, label)
    return _read(file) if file.is_file() else None


def probes(target: Target) -> list[float]:
    """The log density at a few starts that are the same at every call."""
    points = target.starts("dispersed", stream("reference", "probes", target.label), PROBES)
    return [float(value) for value in target.log_density_and_gradient(points)[0]]


def verify(target: Target, target_file: Path) -> None:
    """See that the stored truth was made for this very density and these constrained parameters: compiles it.

    Raises:
        StoredTruthError: it was made for another.
    """
    stored = stored_for(target_file, target.label)
    if stored is None or target.truth is None or target.truth.origin != "reference run":
        return
    now, then = np.array(probes(target)), np.array(stored["probes"])
    scale = 1.0 + np.abs(then)
    if now.shape != then.shape or not (np.abs(now - then) <= TOLERANCE * scale).all():
        raise StoredTruthError(
            f"{json_file(target_file, target.label).name} was made for another density than {target.label} is now "
            f"(log p at its starts: {np.array2string(now, precision=8)}, then {np.array2string(then, precision=8)}); "
            f"{_again(target)}"
        )
    constrained, draws = target.constrained, target.reference_draws
    if constrained is None or constrained.truth is None or draws is None or "constrained" not in stored:
        return
    quantiles = np.array(stored["constrained"]["quantiles"])  # (k, level)
    if constrained.truth.quantiles is None or not np.array_equal(quantiles, constrained.truth.quantiles):
        return  # the target has a constrained truth of its own
    values = np.asarray(constrained.of(draws))
    shares = (values[:, :, None] <= quantiles).mean(axis=0)
    if shares.shape != quantiles.shape or (np.abs(shares - QUANTILE_LEVELS) > MOST_OFF / np.sqrt(len(draws))).any():
        raise StoredTruthError(
            f"{json_file(target_file, target.label).name} was made for other constrained parameters than those of "
            f"{target.label} are now: the stored draws do not have the stored quantiles; {_again(target)}"
        )


def write(target_file: Path, label: str, content: dict[str, Any], draws: Array) -> Path:
    """Store the numbers and the draws (n, dim); remarks that people have written into the old file are kept."""
    file = json_file(target_file, label)
    old = _read(file) if file.is_file() else {}
    content = {**content, "remarks": old.get("remarks", content.get("remarks", ""))}
    np.savez_compressed(draws_file(file), draws=draws.astype(np.float32))
    file.write_text(_text(_rounded(content)) + "\n", encoding="utf-8")
    return file


def _text(value: Any, indent: str = "") -> str:
    """JSON with a line for each entry of an object, and each list on one line."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    deeper = indent + "  "
    lines = [f"{deeper}{json.dumps(key, ensure_ascii=False)}: {_text(inside, deeper)}" for key, inside in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _again(target: Target) -> str:
    return f"run `mcmc-bench reference {target.name}` again"


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoredTruthError(f"{file} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise StoredTruthError(f"{file} must hold an object, not a {type(content).__name__}")
    return content


def _truth(stored: dict[str, Any], note: str) -> Truth:
    names = (
        "mean",
        "mean_standard_error",
        "second_moment",
        "second_moment_standard_error",
        "variance_of_square",
        "quantiles",
        "quantile_share_standard_error",
    )
    arrays: dict[str, Any] = {name: np.array(stored[name], dtype=np.float64) for name in names}
    return Truth(origin="reference run", mean_log_density=float("nan"), note=note, **arrays)


def _rounded(value: Any) -> Any:
    """Arrays as lists, numbers with as many digits as they are worth."""
    if isinstance(value, dict):
        return {key: _rounded(inside) for key, inside in value.items()}
    if isinstance(value, np.ndarray):
        return _rounded(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_rounded(inside) for inside in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{DIGITS}g}")
    return value.item() if isinstance(value, np.generic) else value
