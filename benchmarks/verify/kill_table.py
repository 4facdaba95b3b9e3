"""Writes the tables of docs/verification.md: what `verify` says of the right kernels and of those with a planted fault.

    python benchmarks/verify/kill_table.py            # all samplers: about ten minutes
    python benchmarks/verify/kill_table.py ula mala   # only these: half a minute each, on average

A verdict whose sources have not changed since is not made again. Exit code 1 if a right kernel, or a fault of nothing,
does not pass; 2 for a name that is no sampler. Faults that are not seen stand in the table as such.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from faults import CONTROLS, FAULTS, made_of

from mcmc_bench.catalog.files import list_samplers, load_sampler
from mcmc_bench.checks.kernel.biased import PREDICTED, SMALL, TRANSITION
from mcmc_bench.checks.kernel.exact import BALANCE, FORGETS, KEEPS, LATE, TRANSITIONS
from mcmc_bench.checks.kernel.mutants import Fault
from mcmc_bench.checks.kernel.verify import verify
from mcmc_bench.core.spelling import unknown

FOLDER = Path(__file__).resolve().parent
RECORD = FOLDER / "record.json"
DOCUMENT = FOLDER.parents[1] / "docs" / "verification.md"
BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"
#: Columns of what could have been seen: heading, and which findings belong to it.
AFTER = f" after {LATE}"
SEEN = (
    (f"distribution after {TRANSITIONS} transitions", lambda f: f.check == KEEPS and not f.what.endswith(AFTER)),
    (f"distribution after {LATE}", lambda f: f.check == KEEPS and f.what.endswith(AFTER)),
    ("signs of ΔH", lambda f: f.check == BALANCE),
    ("distribution that it comes to rest at", lambda f: f.check == FORGETS),
    ("its predicted variance", lambda f: f.check == PREDICTED and f.what.startswith("variance of all")),
    ("the target's distribution, at a small step", lambda f: f.check == SMALL),
    ("one transition", lambda f: f.check == TRANSITION),
)

Entry = dict[str, Any]


def _of(sampler: str, fault: Fault | None) -> Entry:
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_sampler(sampler, samplers_folder=fault and fault.write(Path(folder)))
        result = verify(loaded, dict(fault.settings) if fault else {})
    seen = {heading: [f.detectable for f in result.findings if belongs(f)] for heading, belongs in SEEN}
    return {
        "verdict": "FAILED" if result.failed else "inconclusive" if result.inconclusive else "passed",
        "chains": result.chains,
        "tests": len(result.findings),
        "seen": {heading: round(max(found), 4) for heading, found in seen.items() if found},
        "by": sorted({finding.check for finding in result.findings if finding.failed}),
        "made_of": made_of(sampler, fault),
    }


def wanted() -> dict[str, tuple[str, Fault | None]]:
    """Every verdict of the record, by its name: kernels as they are, controls, faults."""
    return {
        **{f"right {name}": (name, None) for name in list_samplers()},
        **{f"control {name}": (control.sampler, control) for name, control in CONTROLS.items()},
        **{f"wrong {name}": (fault.sampler, fault) for name, fault in FAULTS.items()},
    }


def stale(record: dict[str, Entry]) -> dict[str, tuple[str, Fault | None]]:
    """The verdicts that are wanted and not on record, or that were made of other sources."""
    return {name: what for name, what in wanted().items() if record.get(name, {}).get("made_of") != made_of(*what)}


def _at(fault: Fault) -> str:
    return f" (at {', '.join(f'{name} = {value:g}' for name, value in fault.settings)})" if fault.settings else ""


def tables(record: dict[str, Entry]) -> str:
    """The tables in Markdown."""
    rights = {name.split()[1]: one for name, one in record.items() if name.startswith("right ")}
    headings = [heading for heading, _ in SEEN]
    lines = [
        f"### The {len(rights)} kernels as they are",
        "",
        "What would have been seen, with probability 0.95: a difference in any share, of a variance relative to it, or of the",
        "mean of a cosine.",
        "",
        f"| sampler | verdict | tests | chains | {' | '.join(headings)} |",
        "|---|---|---|---" + "|---" * len(headings) + "|",
    ]
    for name, one in rights.items():
        seen = " | ".join(f"{one['seen'][h]:.3f}" if h in one["seen"] else "–" for h in headings)
        lines.append(f"| `{name}` | {one['verdict']} | {one['tests']} | {one['chains']} | {seen} |")
    wrongs = {name.split()[1]: one for name, one in record.items() if name.startswith("wrong ")}
    killed = sum(one["verdict"] == "FAILED" for one in wrongs.values())
    lines += [
        "",
        f"### {len(wrongs)} planted faults, {killed} of them seen",
        "",
        "| sampler | fault | seen with | by |",
        "|---|---|---|---|",
    ]
    for name, one in wrongs.items():
        fault = FAULTS[name]
        verdict = f"{one['chains']} chains" if one["verdict"] == "FAILED" else f"**not seen** ({one['verdict']})"
        lines.append(f"| `{fault.sampler}` | {fault.what}{_at(fault)} | {verdict} | {', '.join(one['by'])} |")
    for name, one in record.items():
        if name.startswith("control "):
            fault = CONTROLS[name.split()[1]]
            said = f"none: the same source, planted{_at(fault)}"
            lines.append(f"| `{fault.sampler}` | {said} | {one['verdict']}, {one['chains']} chains | |")
    return "\n".join(lines)


def chosen(arguments: Sequence[str]) -> set[str]:
    """The samplers that the command line names; all, if it names none. Ends the program at a name that is no sampler."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "samplers", nargs="*", metavar="SAMPLER", help="built-in samplers; all of them, if none is named"
    )
    known = list_samplers()
    names = parser.parse_args(arguments).samplers
    for name in names:
        if name not in known:
            parser.error(unknown("sampler", name, known))
    return set(names or known)


def main(arguments: Sequence[str]) -> int:
    """Make what is missing or stale, write the record and the tables."""
    samplers = chosen(arguments)
    record: dict[str, Entry] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    asked = wanted()
    to_make = {name: (sampler, fault) for name, (sampler, fault) in stale(record).items() if sampler in samplers}
    print(f"{len(to_make)} of {len(asked)} verdicts to be made", flush=True)
    with ProcessPoolExecutor() as pool:
        made = pool.map(_of, *zip(*to_make.values(), strict=True)) if to_make else ()
        for name, entry in zip(to_make, made, strict=True):
            record[name] = entry
            print(f"{name}: {entry['verdict']} ({entry['chains']} chains) {', '.join(entry['by'])}", flush=True)
            kept = {one: record[one] for one in asked if one in record}
            RECORD.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    record = {name: record[name] for name in asked if name in record}
    text = DOCUMENT.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{tables(record)}\n{END}{after}", encoding="utf-8")
    return int(any(one["verdict"] != "passed" for name, one in record.items() if not name.startswith("wrong ")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
