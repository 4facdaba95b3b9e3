"""Writes the tables of docs/verification.md: what `verify` says of the right kernels and of those with a planted fault.

    python benchmarks/verify/kill_table.py

About five minutes. Exit code 1 if a fault is not seen or a right kernel is refused.
"""

from __future__ import annotations

import json
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from faults import FAULTS

from mcmc_bench.catalog import list_samplers, load_sampler
from mcmc_bench.verification.verify import verify

FOLDER = Path(__file__).resolve().parent
DOCUMENT = FOLDER.parents[1] / "docs" / "verification.md"
BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


def _of(sampler: str, file: Path | None) -> dict[str, Any]:
    result = verify(load_sampler(sampler, samplers_folder=file))
    failed = [finding for finding in result.findings if not finding.passed]
    seen = [finding.detectable for finding in result.findings if finding.unit == "in a share"]
    return {
        "passed": result.passed,
        "chains": result.chains,
        "tests": len(result.findings),
        "detectable": max(seen, default=None),
        "by": sorted({finding.check for finding in failed}),
    }


def right(sampler: str) -> dict[str, Any]:
    """The verdict on a built-in sampler."""
    return _of(sampler, None)


def wrong(name: str) -> dict[str, Any]:
    """The verdict on a planted fault."""
    with tempfile.TemporaryDirectory() as folder:
        return _of(FAULTS[name].sampler, FAULTS[name].write(Path(folder)))


def tables(rights: dict[str, dict[str, Any]], wrongs: dict[str, dict[str, Any]]) -> str:
    """Both tables in Markdown."""
    lines = [
        f"### The {len(rights)} kernels as they are", "",
        "| sampler | verdict | tests | chains | difference in any share that would have been seen |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, one in rights.items():
        seen = "–" if one["detectable"] is None else f"{one['detectable']:.3f}"
        lines.append(
            f"| `{name}` | {'passed' if one['passed'] else '**refused**'} | {one['tests']} | {one['chains']} | {seen} |"
        )
    killed = sum(not one["passed"] for one in wrongs.values())
    lines += [
        "", f"### {len(wrongs)} planted faults, {killed} of them seen", "",
        "| sampler | fault | seen with | by |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, one in wrongs.items():
        verdict = f"{one['chains']} chains" if not one["passed"] else "**not seen**"
        lines.append(f"| `{FAULTS[name].sampler}` | {FAULTS[name].what} | {verdict} | {', '.join(one['by'])} |")
    return "\n".join(lines)


def main() -> int:
    """Run everything, write the record and the tables."""
    with ProcessPoolExecutor() as pool:
        samplers, names = list_samplers(), list(FAULTS)
        rights = dict(zip(samplers, pool.map(right, samplers), strict=True))
        wrongs = dict(zip(names, pool.map(wrong, names), strict=True))
    record = json.dumps({"right": rights, "wrong": wrongs}, indent=1) + "\n"
    (FOLDER / "record.json").write_text(record, encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{tables(rights, wrongs)}\n{END}{after}", encoding="utf-8")
    return int(any(not one["passed"] for one in rights.values()) or any(one["passed"] for one in wrongs.values()))


if __name__ == "__main__":
    sys.exit(main())
