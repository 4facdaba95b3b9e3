"""Made-up results of samplers on images, for the tests of the report: every number is false, and easy to recognise."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from made_up_results import as_shown

from mcmc_bench import metrics
from mcmc_bench.core.results import Cell, Definition, ExampleFacts, Judgement, MetricValue, Results, TargetFacts
from mcmc_bench.core.streams import stream

TARGET, CHAINS, CLASSES = "little_faces", 64, 4
LEVELS = np.array([8.0, 4.0, 2.0, 1.0, 0.5, 0.5])
DEFINITIONS = {
    "acceptance_rate": Definition("Acceptance", "A mean.", "higher", "diagnostics"),
    "r_hat_max": Definition("Worst R-hat", "Largest.", "lower", "convergence", 1.0),
    "class_entropy": Definition("Entropy of classes", "An entropy.", "higher", "examples"),
    "classes_found": Definition("Classes found", "A share.", "higher", "examples", 1.0),
    "classes_per_chain": Definition("Classes visited by a chain", "A mean.", "higher", "examples"),
    "distinct_data": Definition("Distinct data, share", "A share.", "higher", "examples", 1.0),
    "pair_distance": Definition("Distance of pairs", "A median.", "target", "examples"),
    "data_sliced_wasserstein": Definition(
        "Sliced Wasserstein-1 to held-out data", "A distance.", "lower", "examples", 0.0
    ),
    "nearest_training": Definition("Nearest training example", "A median.", "target", "examples"),
    "data_precision": Definition("Precision", "A share.", "higher", "examples"),
    "vendi_score": Definition("Vendi score", "A number.", "target", "examples"),
    "escaped_share": Definition("Escaped share", "A share.", "lower", "examples", 0.0),
}
DEFINITIONS = as_shown(DEFINITIONS)
PROVENANCE = {
    "python": "3",
    "versions": {},
    "processor": "p",
    "cores": 1,
    "workers": 1,
    "engine_hash": "e",
    "seed": "s",
    "suite_text": "",
    "command": "",
    "started": "2001-02-03T04:05:06Z",
    "seconds": 1.0,
    "complete": True,
}
FLOORS = {
    "class_entropy": 1.375,
    "classes_found": 1.0,
    "distinct_data": 1.0,
    "pair_distance": 6.0,
    "data_sliced_wasserstein": 0.0625,
    "data_precision": 0.9375,
    "vendi_score": 52.0,
    "escaped_share": 0.0,
    "classes_per_chain": 4.0,
    "nearest_training": 2.0,
}
#: Standard errors of floors, as shares of them.
FLOOR_ERROR = 1.0 / 512.0


def cell(identity: str, sampler: str, kind: str, distinct: float, distance: float, **further: object) -> Cell:
    """A finished cell; intervals are 2 % to both sides, and none where nothing varies."""
    values = {
        "class_entropy": 0.0 if distinct < 0.05 else 1.25,
        "classes_found": 0.25 if distinct < 0.05 else 1.0,
        "classes_per_chain": None,
        "distinct_data": distinct,
        "pair_distance": 0.0 if distinct < 0.05 else 5.5,
        "data_sliced_wasserstein": distance,
        "nearest_training": 2.0,
        "data_precision": 0.875,
        "vendi_score": 1.0 + 50.0 * (distinct > 0.05),
        "escaped_share": 0.0,
    }
    values |= further.pop("values", {})  # type: ignore[call-overload]
    rows = [
        MetricValue(
            key,
            value,
            None if value is None else 0.98 * value,
            None if value is None else min(1.02 * value, 1.0 if key == "distinct_data" else np.inf),
            5,
            FLOORS.get(key),
            FLOOR_ERROR * FLOORS[key] if key in FLOORS else None,
            note="" if value is not None else "a chain has one draw",
        )
        for key, value in values.items()
    ]
    shares = [1.0, 0.0, 0.0, 0.0] if distinct < 0.05 else [0.25, 0.25, 0.125, 0.375]
    curve = {
        "classes": [0.0, 1.0, 2.0, 3.0],
        "value": shares,
        "low": shares,
        "high": shares,
        "held_out": [0.25, 0.25, 0.25, 0.25],
    }
    verdicts = {
        key: Judgement("inconclusive", "no truth")
        for key in ("unbiased", "all_modes", "weights", "spread", "efficiency")
    }
    verdicts["exact_kernel"] = Judgement("pass" if kind == "exact" else "fail", "declared")
    settings = {"settings": {}, "experiment": "from_noise", "start": "dispersed", "target": TARGET, **further}
    return Cell(
        id=identity,
        match=hashlib.sha256(identity.encode()).hexdigest()[:12],
        sampler=sampler,
        sampler_kind=kind,
        budget=400,
        warmup_share=0.0,
        chains=CHAINS,
        replicates=5,
        selected=True,
        metric_values=rows,
        curves={"classes": curve},
        verdicts=verdicts,
        **settings,  # type: ignore[arg-type]
    )


def made_up_images(folder: Path) -> Results:
    """A schedule with its noise and without, a sampler that carries its start, ascent, one that does not mix, a dial."""
    schedule = {"largest_noise": 8.0, "start_noise": 1.0}
    one = {"start": "one_point", "experiment": "one_start"}
    none = 1 / CHAINS
    cells = [
        cell("ascent1", "climber", "optimiser", none, 0.5, settings={"step_size": 0.5}, **one),
        cell("single1", "jumper", "exact", 1.0, 0.25, settings={"step_size": 0.5}, **one),
        cell("flow1", "carrier", "biased", none, 0.5, settings={**schedule, "start_noise": 0.0}, **one),
        cell(
            "noisy1",
            "walker",
            "biased",
            1.0,
            0.125,
            settings={**schedule, "temperature": 1.0, "start_noise": 0.0},
            **one,
        ),
        cell("ascent", "climber", "optimiser", 0.75, 0.1875, settings={"step_size": 0.5}),
        cell("single", "jumper", "exact", 1.0, 0.125, settings={"step_size": 0.5}),
        cell("without", "walker", "biased", none, 0.5, settings={**schedule, "temperature": 0.0}),
        cell("with", "walker", "biased", 1.0, 0.0703125, settings={**schedule, "temperature": 1.0}),
        cell("narrow", "walker", "biased", 0.25, 0.2, settings={**schedule, "temperature": 0.0, "largest_noise": 1.0}),
        cell("flow", "carrier", "biased", 1.0, 0.0625, settings=dict(schedule)),
        *(
            cell(
                f"dial{tau:g}",
                "walker",
                "biased",
                none if tau == 0 else 0.8,
                0.5 - 0.4 * tau,
                experiment="dial",
                swept=["temperature"],
                settings={**schedule, "temperature": tau},
            )
            for tau in (0.0, 0.5, 1.0)
        ),
        cell(
            "mixing",
            "jumper",
            "exact",
            1.0,
            0.125,
            experiment="mixing",
            values={"classes_per_chain": 2.5, "r_hat_max": 1.5},
            settings={"step_size": 0.25},
        ),
    ]
    facts = TargetFacts(
        key="f1",
        name=TARGET,
        parameters={},
        dim=16,
        description="Made up.",
        formula="",
        source="a test",
        tags=[],
        truth_origin=None,
        truth_note="",
        mean_log_density=None,
        examples=ExampleFacts(
            held_out=99,
            classes=CLASSES,
            shape=[4, 4],
            pixels=[-1.0, 1.0],
            classifier_accuracy=0.8125,
            classifier="an oracle that was asked",
        ),
    )
    results = Results(
        suite="made_up_images",
        title="Made-up images",
        description="False numbers for tests.",
        cells=cells,
        definitions=dict(DEFINITIONS),
        verdicts=metrics.verdict_definitions(),
        targets={TARGET: facts},
        provenance=PROVENANCE,
        experiments={"one_start": "One start", "from_noise": "From noise", "dial": "The dial", "mixing": "One level"},
        folder=folder,
    )
    _store_arrays(results, folder)
    return results


def _store_arrays(results: Results, folder: Path) -> None:
    generator = stream("tests", "images")
    for kind in ("draws", "targets"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    start = generator.normal(size=(3, 1, 16))
    for one in results.cells:
        data = generator.uniform(-1.0, 1.0, (CHAINS, 16))
        position = generator.normal(size=(4, 40 if one.experiment == "mixing" else 1, 16))
        arrays = {"position": position, "log_density": position[:, :, 0], "data": data}
        if one.settings.get("start_noise") == 1.0:
            arrays |= {
                "snapshots": np.concatenate([start, generator.normal(size=(3, 5, 16))], axis=1),
                "snapshots_noise": LEVELS,
            }
        np.savez(folder / "draws" / f"{one.id}.npz", **arrays)  # type: ignore[arg-type]
    np.savez(
        folder / "targets" / "f1.npz",
        held_out=generator.uniform(-1.0, 1.0, (50, 16)),
        centre=np.zeros(16),
        spread=np.array(0.5),
        direction=np.eye(16)[0],
    )
