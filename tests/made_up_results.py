"""Results made up for the tests of the report: every number in them is false, and easy to recognise."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from mcmc_bench import metrics
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Definition, Judgement, MetricValue, Results, TargetFacts
from mcmc_bench.core.streams import stream

VERDICTS = metrics.verdict_definitions()
DEFINITIONS = {
    "evaluations": Definition("Evaluations per chain", "Counted.", "lower", "cost"),
    "r_hat_max": Definition("Worst R-hat", "Largest.", "lower", "convergence", 1.0),
    "efficiency": Definition("Efficiency", "Share of the oracle's.", "higher", "accuracy"),
    "gradients_to_low_error": Definition("Evaluations to low error", "Censored.", "lower", "accuracy"),
    "sliced_wasserstein_1": Definition("Sliced Wasserstein-1", "A distance.", "lower", "distance", 0.0),
    "log_density_gap": Definition("Gap of log p", "A difference.", "target", "distance", 0.0),
    "modes_found": Definition("Modes found", "A share.", "higher", "modes", 1.0),
    "mode_weight_error": Definition("Mode-weight error", "A share.", "lower", "modes", 0.0),
    "within_mode_variance_ratio": Definition("Spread within modes", "A ratio.", "target", "modes", 1.0),
    "transitions_per_1000": Definition("Mode changes", "A rate.", "higher", "modes"),
    "end_points": Definition("Distinct end points", "A count.", "higher", "modes"),
    "acceptance_rate": Definition("Acceptance", "A mean.", "higher", "diagnostics"),
}


def as_shown(definitions: dict[str, Definition]) -> dict[str, Definition]:
    """The definitions in the order of the page, shown on cards, on paper and beside verdicts as the real ones are."""
    real = metrics.definitions()
    shown = ("percent", "printed", "card", "verdict", "beside")
    return {
        key: replace(definitions[key], **{name: getattr(one, name) for name in shown})
        for key, one in real.items()
        if key in definitions
    }


DEFINITIONS = as_shown(DEFINITIONS)
KINDS = {"gradient_ascent": "optimiser", "ula": "biased", "mala": "exact", "hmc": "exact", "oracle": "oracle"}
TWO_MODES, ONE_MODE = "two_modes", "round(dim=3)"


def metric_value(metric: str, value: float | None, **further: object) -> MetricValue:
    """A value with an interval of a tenth on both sides."""
    given = {"low": 0.9 * value, "high": 1.1 * value} if value is not None else {}
    return MetricValue(metric, value, replicates=4, **{**given, **further})  # type: ignore[arg-type]


def cell(target: str, sampler: str, identity: str, spread: float = 1.0, **further: object) -> Cell:
    """A finished cell with all metric values, curves and verdicts."""
    several = target == TWO_MODES
    no_modes = {"note": "the target has no separate known modes"}
    values = {
        "settings": {} if sampler == "oracle" else {"step_size": 0.1},
        "experiment": "samplers",
        "start": "dispersed",
        **further,
    }
    values_of_metrics = [
        metric_value("evaluations", 4000.0, low=4000.0, high=4000.0),
        metric_value("r_hat_max", 1.25),
        metric_value("efficiency", 0.125),
        metric_value("gradients_to_low_error", 3000.0, low=3000.0, high=None, censored=True),
        metric_value("sliced_wasserstein_1", 0.75, floor=0.1875),
        metric_value("log_density_gap", -0.5, low=-0.6, high=-0.4),
        metric_value("modes_found", 1.0, low=1.0, high=1.0)
        if several
        else MetricValue("modes_found", None, **no_modes),  # type: ignore[arg-type]
        metric_value("mode_weight_error", 0.3125) if several else MetricValue("mode_weight_error", None, **no_modes),  # type: ignore[arg-type]
        metric_value("within_mode_variance_ratio", spread, predicted=round(spread, 2)),
        metric_value("transitions_per_1000", 0.0, low=0.0, high=0.0),
        MetricValue("end_points", 2.0 if sampler == "gradient_ascent" else 61.0, replicates=4, note="no interval"),
        metric_value("acceptance_rate", 0.875),
    ]
    evaluations = [10.0, 100.0, 1000.0]
    curves: dict[str, dict[str, list[float]]] = {
        "error": {
            "evaluations": evaluations,
            "median": [1.0, 0.5, 0.25],
            "low": [0.5, 0.25, 0.125],
            "high": [2.0, 1.0, 0.5],
            "oracle_error": [0.1, 0.01, 0.001],
        },
        "log_density_histogram": {
            "edges": [-3.0, -2.0, -1.0, 0.0],
            "cell": [0.25, 0.25, 0.5],
            "oracle": [0.5, 0.25, 0.25],
        },
    }
    if several:
        curves["occupancy"] = {
            "modes": [0.0, 1.0],
            "value": [0.4375, 0.5625],
            "low": [0.375, 0.5],
            "high": [0.5, 0.625],
            "weights": [0.75, 0.25],
        }
    verdicts = {key: Judgement("pass", f"made up {key}") for key in VERDICTS}
    if several:
        verdicts["weights"] = Judgement("fail", "made up: a third is in the wrong mode")
    else:
        verdicts["weights"] = verdicts["all_modes"] = Judgement("not applicable", "no modes")
    if several or sampler in ("gradient_ascent", "oracle"):
        verdicts["efficiency"] = Judgement("not applicable", "not ranked")
    base = Cell(
        identity,
        match=hashlib.sha256(identity.encode()).hexdigest()[:12],
        target=target,
        sampler=sampler,
        sampler_kind=KINDS[sampler],
        budget=4000,
        warmup_share=0.25,
        chains=16,
        replicates=4,
        selected=True,
        metric_values=values_of_metrics,
        curves=curves,
        verdicts=verdicts,
        experiment="",
        settings={},
        start="",
    )
    return replace(base, **values)  # type: ignore[arg-type]


def facts(target: str) -> TargetFacts:
    several = target == TWO_MODES
    return TargetFacts(
        key="2a" if several else "3b",
        name=target,
        parameters={},
        dim=2 if several else 3,
        description="Made up.",
        formula="p(x) ∝ made up",
        source="a test",
        tags=[],
        truth_origin="exact",
        truth_note="",
        mean_log_density=-1.0,
        mode_locations=[[5.0, 5.0], [-5.0, -5.0]] if several else None,
        mode_weights=[0.75, 0.25] if several else None,
    )


def made_up(folder: Path) -> Results:
    """Two targets: a comparison from two starts, a dial, a step-size sweep and one cell of every bad outcome."""
    spreads = {"gradient_ascent": 1e-20, "ula": 1.0625, "mala": 0.9875, "hmc": 1.0125, "oracle": 1.0}
    cells = []
    for target in (TWO_MODES, ONE_MODE):
        short = target[:3]
        for sampler, spread in spreads.items():
            settings = {"settings": {"step_size": 0.1, "temperature": 1.0}} if sampler in ("ula", "mala") else {}
            cells.append(cell(target, sampler, f"{short}{sampler}", spread, **settings))
            if sampler != "oracle":
                further = {"start": "one_point", "experiment": "one_point", **settings}
                cells.append(cell(target, sampler, f"{short}{sampler}1", spread, **further))
        for sampler in ("ula", "mala"):
            cells += [
                cell(
                    target,
                    sampler,
                    f"{short}{sampler}t{tau:g}",
                    tau * spreads[sampler] + 0.002,
                    swept=["temperature"],
                    experiment="dial",
                    settings={"step_size": 0.1, "temperature": tau},
                )
                for tau in (0.0, 0.5, 1.0)
            ]
            cells += [
                cell(
                    target,
                    sampler,
                    f"{short}{sampler}e{step:g}",
                    1.0 + step,
                    swept=["step_size"],
                    experiment="step_size",
                    settings={"step_size": step, "temperature": 1.0},
                )
                for step in (0.05, 0.4)
            ]
    for number, outcome in enumerate([Outcome.RAISED, Outcome.TIMED_OUT, Outcome.DIED, Outcome.NOT_APPLICABLE]):
        settings = {"step_size": 1.0 + number}
        failed = cell(ONE_MODE, "hmc", f"bad-{outcome.replace(' ', '-')}", experiment="broken", settings=settings)
        cells.append(
            replace(
                failed,
                outcome=outcome,
                message=f"what {outcome} means",
                metric_values=[],
                curves={},
                verdicts={},
                selected=False,
            )  # type: ignore[arg-type]
        )
    results = Results(
        suite="made_up",
        title="A made-up comparison",
        description="False numbers for tests.",
        cells=cells,
        definitions=dict(DEFINITIONS),
        verdicts=metrics.verdict_definitions(),
        targets={target: facts(target) for target in (TWO_MODES, ONE_MODE)},
        provenance={
            "command": "mcmc-bench run made_up",
            "python": "3.99",
            "versions": {"numba": "9.9"},
            "processor": "p",
            "cores": 2,
            "workers": 2,
            "engine_hash": "e",
            "seed": "s",
            "suite_text": "[suite]\nbudget = 4000",
            "started": "2001-02-03T04:05:06Z",
            "seconds": 12.5,
            "complete": True,
        },
        experiments={
            "samplers": "Starts spread out",
            "one_point": "One start",
            "dial": "The dial",
            "step_size": "Steps",
            "broken": "What broke",
        },
        folder=folder,
    )
    _store_arrays(results, folder)
    return results


def _store_arrays(results: Results, folder: Path) -> None:
    generator = stream("tests", "report")
    for kind in ("draws", "targets"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for one in results.cells:
        if one.outcome == Outcome.FINISHED and not one.swept:
            position = generator.normal(size=(4, 40, results.targets[one.target].dim))
            np.savez(
                folder / "draws" / f"{one.id}.npz", position=position, log_density=-0.5 * (position**2).sum(axis=2)
            )
    for target in results.targets.values():
        draws = generator.normal(size=(200, target.dim))
        arrays = {"draws": draws, "log_density": -0.5 * (draws**2).sum(axis=1)}
        if target.dim == 2:
            x = np.linspace(-4.0, 4.0, 30)
            arrays |= {"grid_x": x, "grid_y": x, "grid_log_density": -0.5 * (x[:, None] ** 2 + x[None] ** 2)}
        np.savez(folder / "targets" / f"{target.key}.npz", **arrays)  # type: ignore[arg-type]
