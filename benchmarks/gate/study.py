"""How often the gate is wrong, and what it sees: comparisons of equal code, and planted faults.

    python benchmarks/gate/study.py --cache FOLDER --output reports/published/gate

Every cell of the suite `smoke` that a comparison can judge gets a pool of independent replicates (fresh random
streams), and so does every cell of each faulty sampler. A comparison draws the replicates of its two sides from the
pools without replacement, so that they share none; different comparisons share some. Pools are kept in the cache
folder, so that the study goes on where it was stopped. Takes an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from faults import FAULTS, Fault
from rich.progress import track
from scipy import stats

from mcmc_bench.catalog.files import Folders
from mcmc_bench.comparison import Comparison, Rule, compare
from mcmc_bench.comparison.decide import FEWEST_REPLICATES
from mcmc_bench.comparison.inference import MOSTLY_CONSTANT
from mcmc_bench.core.evidence import Evidence
from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.provenance import describe_environment
from mcmc_bench.core.results import Cell, Results
from mcmc_bench.core.streams import stream
from mcmc_bench.executors import JobError, executor_class
from mcmc_bench.experiments import worker
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.gate import BASELINE_REPLICATE_FACTOR, GROWTH, STAGES, in_stages
from mcmc_bench.experiments.suite import load_suite
from mcmc_bench.metrics.evidence import Measurement, describe

#: Replicates in the pool of a cell, and of a cell of a faulty sampler.
POOL, FAULTY_POOL = 2000, 640
REPLICATE_FACTORS = (0.25, 0.5, 1.0, 2.0)
LEVELS = (0.001, 0.01, 0.05)


@dataclass(eq=False)
class Pool:
    """Replicates of one cell: all that evidence is summarised from."""

    cell: Cell
    whole: Evidence
    shares: np.ndarray | None  # (replicate, event)

    def evidence(self, picked: np.ndarray) -> Evidence:
        """The evidence of some of the replicates."""

        def of(values: list[Any]) -> list[Any]:
            return [values[index] for index in picked]

        indicators = self.whole.indicators
        if indicators is not None and self.shares is not None:
            indicators = replace(indicators, **describe(self.shares[picked]))
        lists = {name: of(value) for name, value in vars(self.whole).items() if isinstance(value, list)}
        return replace(self.whole, replicates=len(picked), indicators=indicators, **lists)


def judged(plans: Iterable[CellPlan]) -> list[CellPlan]:
    """The cells with enough replicates to be compared."""
    return [plan for plan in plans if plan.replicates >= FEWEST_REPLICATES]


def make_pools(plans: list[CellPlan], folders: Folders, count: int, cache: Path, what: str) -> dict[str, Pool]:
    """The pools of cells, by their `match`; what is in the cache is not made again."""
    import pickle

    cache.mkdir(parents=True, exist_ok=True)
    missing = [plan for plan in plans if not (cache / f"{plan.match}-{count}.pickle").is_file()]
    if missing:
        with executor_class("local")(os.cpu_count() or 1) as jobs:
            futures = {
                jobs.submit(worker.measure, plan, folders, f"study {what}", range(count)): plan for plan in missing
            }
            for future in track(jobs.as_completed(futures), total=len(futures), description=f"pools: {what}"):
                file = cache / f"{futures[future].match}-{count}.pickle"
                write_atomically(file, pickle.dumps(future.result()))
    pools = {}
    for plan in plans:
        measurements: list[Measurement] = pickle.loads((cache / f"{plan.match}-{count}.pickle").read_bytes())
        shares = None
        if all(one.shares is not None for one in measurements):
            shares = np.stack([one.shares for one in measurements if one.shares is not None])
        cell = worker.blank_cell(plan, plan.match, folders)
        pools[plan.match] = Pool(cell, worker.evidence(plan, folders, measurements), shares)
    return pools


def results(pools: dict[str, Pool], evidence: dict[str, Evidence]) -> Results:
    """One side of a comparison."""
    cells = [replace(pools[match].cell, evidence=[found]) for match, found in evidence.items()]
    return Results("study", "", "", cells, {}, {}, {})


class Sides:
    """Replicates for both sides of one comparison, and for the stages after the first, none of them used twice."""

    def __init__(
        self, baseline: dict[str, Pool], candidate: dict[str, Pool], replicates: dict[str, int], name: str
    ) -> None:
        self.baseline, self.candidate, self.replicates = baseline, candidate, replicates
        self.order = {}
        for match, pool in candidate.items():
            generator = stream("study", name, match)
            equal = baseline[match] is pool
            order = generator.permutation(pool.whole.replicates)
            count = round(BASELINE_REPLICATE_FACTOR * replicates[match])
            before = order[::-1] if equal else generator.permutation(baseline[match].whole.replicates)
            self.order[match] = (before[:count], order)

    def first(self) -> tuple[Results, Results]:
        """Baseline and candidate at the first stage."""
        before = {match: self.baseline[match].evidence(order[0]) for match, order in self.order.items()}
        now = {m: self.candidate[m].evidence(order[1][: self.replicates[m]]) for m, order in self.order.items()}
        return results(self.baseline, before), results(self.candidate, now)

    def more(self, matches: Collection[str], stage: int) -> dict[str, Evidence | JobError]:
        """Evidence of a further stage."""
        found: dict[str, Evidence | JobError] = {}
        for match in matches:
            count = self.replicates[match]
            begin = count + (stage - 1) * GROWTH * count
            found[match] = self.candidate[match].evidence(self.order[match][1][begin : begin + GROWTH * count])
        return found


def share(count: int, of: int) -> dict[str, float]:
    """A share with its 95 % interval (Clopper and Pearson 1934)."""
    low = float(stats.beta.ppf(0.025, count, of - count + 1)) if count else 0.0
    high = float(stats.beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0
    return {"count": count, "of": of, "share": count / of, "low": low, "high": high}


def calibrate(pools: dict[str, Pool], replicates: dict[str, int], comparisons: int) -> dict[str, Any]:
    """Equal code on both sides: p-values, false alarms, cells that are not decided; of `compare` and of `gate`."""
    single: dict[str, list[float]] = {
        "correctness": [],
        "efficiency": [],
        "correctness, no replicate twice": _disjoint(pools, replicates),
    }
    smallest, undecided, judged_cells, said = [], [], [], []
    gated, gate_undecided = [], []
    for number in track(range(comparisons), description="equal code"):
        sides = Sides(pools, pools, replicates, f"equal {number}")
        before, now = sides.first()
        found = compare(before, now, Rule())
        p_values = [
            (cell.match, finding) for cell in found.cells for finding in cell.findings if finding.adjusted is not None
        ]
        smallest.append(min(finding.adjusted for _, finding in p_values if finding.adjusted is not None))
        said.append(found.verdict)
        undecided.append(found.count("inconclusive"))
        judged_cells.append(len(found.cells) - found.count("not measured"))
        single["correctness"] += _uniform(now, f"equal {number}")
        single["efficiency"] += _efficiency(before, now)
        if number % 6 == 0:  # five further comparisons of the gate would cost as much as all the rest
            final = in_stages(before, now, Rule(), sides.more)
            gated.append(final.verdict)
            gate_undecided.append(final.count("inconclusive"))
    return {
        "comparisons": comparisons,
        "cells": int(np.median(judged_cells)),
        "false_alarms": {
            f"{level:g}": share(int(np.sum(np.array(smallest) <= level)), comparisons) for level in LEVELS
        },
        "regressions": share(said.count("regression"), comparisons),
        "undecided_cells": float(np.sum(undecided) / np.sum(judged_cells)),
        "gate": {
            "comparisons": len(gated),
            "regressions": share(gated.count("regression"), len(gated)),
            "inconclusive": share(gated.count("inconclusive"), len(gated)),
            "undecided_cells": float(np.mean(gate_undecided) / np.mean(judged_cells)),
        },
        "p_values": {name: _against_uniform(values) for name, values in single.items()},
    }


def _uniform(now: Results, name: str) -> list[float]:
    """One p-value of a single indicator, picked by chance, of each cell whose law is known."""
    from mcmc_bench.comparison import pool
    from mcmc_bench.comparison.inference import against_known

    found = []
    for cell in now.cells:
        evidence = cell.evidence[0]
        if evidence.indicators is None or not evidence.expected_from or max(evidence.indicators.constant) > 0.2:
            continue
        p, _ = against_known(pool.estimate(evidence), *pool.known(evidence), np.array(evidence.indicators.constant))
        found.append(float(p[stream("study", name, cell.match, "indicator").integers(len(p))]))
    return found


def _efficiency(before: Results, now: Results) -> list[float]:
    """One-sided p-values of "needs no more gradients" of each cell."""
    from mcmc_bench.comparison import pool
    from mcmc_bench.comparison.inference import difference

    found = []
    for one, other in zip(before.cells, now.cells, strict=True):
        if one.sampler_kind in ("oracle", "optimiser"):
            continue
        logs = [pool.log_costs(side.evidence[0]) for side in (other, one)]
        if logs[0] is not None and logs[1] is not None:
            found.append(difference(logs[0], logs[1]).above(0.0))
    return found


def _disjoint(pools: dict[str, Pool], replicates: dict[str, int]) -> list[float]:
    """p-values of all indicators of known law, from parts of the pools that share no replicate."""
    from mcmc_bench.comparison import pool
    from mcmc_bench.comparison.inference import against_known

    found: list[float] = []
    for match, whole in pools.items():
        if whole.shares is None or not whole.whole.expected_from:
            continue
        count = replicates[match]
        for first in range(0, whole.whole.replicates - count + 1, count):
            part = whole.evidence(np.arange(first, first + count))
            assert part.indicators is not None
            constant = np.array(part.indicators.constant)
            p, _ = against_known(pool.estimate(part), *pool.known(part), constant)
            found += p[constant <= MOSTLY_CONSTANT].tolist()
    return found


def _against_uniform(values: list[float]) -> dict[str, Any]:
    """Shares of p-values below levels, which should be the levels, and the largest difference of the distributions."""
    p = np.array(values)
    return {
        "count": len(p),
        "largest_difference": float(stats.kstest(p, "uniform").statistic),
        "below": {f"{level:g}": float((p <= level).mean()) for level in (0.0001, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75)},
    }


def power(
    fault: Fault, true: dict[str, Pool], faulty: dict[str, Pool], replicates: dict[str, int], runs: int, name: str
) -> dict[str, Any]:
    """Share of runs in which a fault is found, with several numbers of replicates by `compare`, and at the default one by `gate`.

    Only the faulty sampler's cells are compared; the level is that which they have in the whole suite.
    """
    baseline = {match: true[match] for match in faulty}
    rule = Rule(alpha=Rule().alpha * len(faulty) / len(true))
    found: dict[str, Any] = {
        "what": fault.what,
        "spoils": fault.spoils,
        "sampler": fault.sampler,
        "replicate_factors": {},
    }
    for factor in REPLICATE_FACTORS:
        counts = {match: max(FEWEST_REPLICATES, round(factor * count)) for match, count in replicates.items()}
        verdicts = [
            compare(*Sides(baseline, faulty, counts, f"{name} {factor} {run}").first(), rule) for run in range(runs)
        ]
        found["replicate_factors"][f"{factor:g}"] = _detected(verdicts)
    few = max(20, runs // 5)
    gated = []
    for run in track(range(few), description=f"gate: {name}"):
        sides = Sides(baseline, faulty, replicates, f"{name} gate {run}")
        gated.append(in_stages(*sides.first(), rule, sides.more))
    found["gate"] = _detected(gated)
    return found


def _detected(comparisons: list[Comparison]) -> dict[str, Any]:
    """Shares of comparisons that say regression, and by what."""

    def says(comparison: Comparison, questions: Collection[str]) -> bool:
        everything = [*comparison.overall, *(f for cell in comparison.cells for f in cell.findings)]
        return any(f.verdict == "regression" and f.decides and f.question in questions for f in everything)

    costs = [f.value for one in comparisons for f in one.overall if f.question == "efficiency" and f.value is not None]
    return {
        "regression": share(sum(one.verdict == "regression" for one in comparisons), len(comparisons)),
        "correctness": share(sum(says(one, ("correctness",)) for one in comparisons), len(comparisons)),
        "efficiency": share(sum(says(one, ("efficiency", "low error")) for one in comparisons), len(comparisons)),
        "inconclusive": share(sum(one.verdict == "inconclusive" for one in comparisons), len(comparisons)),
        # The suite's geometric mean of the gradients needed, candidate over baseline: median over comparisons.
        "needs": float(np.median(costs)) if costs else None,
    }


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the pools")
    parser.add_argument("--output", type=Path, required=True, help="folder of study.json")
    parser.add_argument("--comparisons", type=int, default=3000, help="of equal code")
    parser.add_argument("--runs", type=int, default=200, help="of each fault and replicate factor")
    parser.add_argument("--only", nargs="*", choices=["equal", *FAULTS], help="parts of the study")
    arguments = parser.parse_args()
    plans = judged(load_suite("smoke").cells)
    replicates = {plan.match: plan.replicates for plan in plans}
    true = make_pools(plans, Folders(), POOL, arguments.cache / "true", "true")
    file = arguments.output / "study.json"
    study: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"faults": {}}
    study |= {"pool": POOL, "faulty_pool": FAULTY_POOL, "runs": arguments.runs, "stages": STAGES, "growth": GROWTH}
    study["environment"] = describe_environment(os.cpu_count() or 1)
    commit = study["environment"]["commit"]
    wanted = arguments.only or ["equal", *FAULTS]
    for name in wanted:
        if name == "equal":
            study["equal"] = {"commit": commit, **calibrate(true, replicates, arguments.comparisons)}
        else:
            fault = FAULTS[name]
            folder = arguments.cache / name
            folders = Folders.of(None, fault.write(folder / "sampler"))
            cells = [plan for plan in plans if plan.sampler == fault.sampler]
            faulty = make_pools(cells, folders, FAULTY_POOL, folder, name)
            study["faults"][name] = {"commit": commit} | power(fault, true, faulty, replicates, arguments.runs, name)
        arguments.output.mkdir(parents=True, exist_ok=True)
        write_atomically(file, (json.dumps(study, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
