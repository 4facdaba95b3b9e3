"""A pytest fixture that checks a sampler, for the tests of a sampler's author.

    def test_sampler(sampler_check):
        sampler_check("my_sampler.py", targets=["gaussian", "banana"], budget=2000)

Imports nothing until the fixture is used, because pytest loads this file in every run. Must not decide anything itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from mcmc_bench.comparison import Comparison


class SamplerCheck(Protocol):
    """The type of the fixture `sampler_check`."""

    def __call__(
        self, sampler: str | Path, targets: Sequence[str | Mapping[str, Any]], budget: int, **options: Any
    ) -> Comparison:
        """Check one sampler."""


@pytest.fixture
def sampler_check(tmp_path: Path, request: pytest.FixtureRequest) -> SamplerCheck:
    """``sampler_check(sampler, targets, budget, …)`` fails the test with the verdict in words, or returns the comparison.

    Chains start from exact draws if the target has an exact sampler; a correct kernel is then unbiased at every step.
    Without a baseline only this is judged, and the hard checks. A baseline is needed to judge efficiency, and wherever a
    bias is expected: there is no exact sampler, or the sampler is declared biased without a closed form.

    It takes:
        sampler: a file with a SAMPLER, or the name of a built-in one.
        targets: names of targets, or tables as in a suite: ``{"name": "gaussian", "dim": 10}``.
        budget: target evaluations of a chain.
        settings: the sampler's settings, e.g. ``{"step_size": 0.3}``.
        chains, replicates: 16 and 64 by default.
        baseline: a file made with ``mcmc-bench baseline`` or ``sampler_check(..., record="FILE")``.
        record: a file to record as baseline instead of checking; it must not exist.
        targets_folder: a folder of further targets.
        alpha, margin, resolution: see ``mcmc-bench compare --help``.
        inconclusive: "fail" (default) or "pass".
        executor: "local" (default) for a process of its own, "inline" or "debug" to stop in it with a debugger.
        seed: by default the name of the test.

    Relative paths are taken from the folder of the test's file.
    """
    here, name = request.path.parent, request.node.nodeid

    def check(
        sampler: str | Path, targets: Sequence[str | Mapping[str, Any]], budget: int, **options: Any
    ) -> Comparison:
        return _check(here, tmp_path, name, sampler, targets, budget, **options)

    return check


def _check(
    here: Path,
    folder: Path,
    name: str,
    sampler: str | Path,
    targets: Sequence[str | Mapping[str, Any]],
    budget: int,
    *,
    settings: Mapping[str, float] | None = None,
    chains: int = 16,
    replicates: int = 64,
    baseline: str | Path | None = None,
    record: str | Path | None = None,
    targets_folder: str | Path | None = None,
    alpha: float = 0.001,
    margin: float = 0.2,
    resolution: float = 0.2,
    inconclusive: str = "fail",
    executor: str = "local",
    seed: str = "",
) -> Any:
    from mcmc_bench.comparison import Rule
    from mcmc_bench.comparison.formats import render
    from mcmc_bench.experiments import gate

    __tracebackhide__ = True
    if inconclusive not in ("fail", "pass"):
        raise ValueError(f"inconclusive = {inconclusive!r} must be 'fail' or 'pass'")
    own = None if targets_folder is None else here / targets_folder
    file = here / sampler if str(sampler).endswith(".py") else None
    entries = [{"name": target} if isinstance(target, str) else dict(target) for target in targets]
    suite = folder / "sampler_check.toml"
    suite.write_text(
        _suite(
            [{**entry, "start": entry.get("start", _start(entry, own))} for entry in entries],
            {"name": Path(sampler).stem if file else str(sampler), **(settings or {})},
            {"budget": budget, "chains": chains, "replicates": replicates},
        ),
        encoding="utf-8",
    )
    how: dict[str, Any] = {"targets_folder": own, "samplers_folder": file, "executor": executor, "workers": 1}
    if record is not None:
        return gate.record_baseline(suite, here / record, seed=f"baseline of {seed or name}", **how)
    found = gate.gate(
        suite,
        None if baseline is None else here / baseline,
        Rule(alpha, margin, resolution),
        output=folder / "sampler_check",
        seed=seed or name,
        **how,
    )
    wrong = ("regression",) if inconclusive == "pass" else ("regression", "inconclusive")
    if found.verdict in wrong:
        pytest.fail(render(found, "text"), pytrace=False)
    return found


def _start(entry: Mapping[str, Any], targets_folder: Path | None) -> str:
    """Exact draws where the target has them."""
    from mcmc_bench.catalog.files import load_target, target_parameters

    known = target_parameters(str(entry["name"]), () if targets_folder is None else (targets_folder,))
    parameters = {key: value for key, value in entry.items() if key in known}
    target = load_target(str(entry["name"]), targets_folder=targets_folder, **parameters)
    return "dispersed" if target.draw_exact is None else "exact"


def _suite(targets: list[dict[str, Any]], sampler: dict[str, Any], limits: dict[str, int]) -> str:
    """The suite of one check, as TOML."""
    lines = ["[suite]", 'title = "sampler_check"', 'metrics = ["cost"]', *(f"{k} = {v}" for k, v in limits.items())]
    lines += ["[[experiment]]", 'name = "sampler_check"']
    lines += [f"targets = [{', '.join(_table(target) for target in targets)}]", f"samplers = [{_table(sampler)}]"]
    return "\n".join(lines) + "\n"


def _table(values: Mapping[str, Any]) -> str:
    """A TOML inline table; texts, numbers and lists are written as JSON writes them."""
    return "{ " + ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()) + " }"
