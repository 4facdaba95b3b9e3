"""Facts of a target for the report, and its portrait in an npz.

Knows the contract of targets and the metrics. Must not know any particular target, nor how facts are stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmc_bench import metrics
from mcmc_bench.catalog.files import Folders
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.json_form import identity_hash
from mcmc_bench.core.results import ExampleFacts, TargetFacts
from mcmc_bench.core.target import Target
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.experiments.loading import TargetIdentity, identity_of, target_of
from mcmc_bench.experiments.stored_draws import figure_count, npz
from mcmc_bench.metrics import Reference

GRID_POINTS = 120


def blank_facts(plan: CellPlan, description: str) -> TargetFacts:
    """Facts of a target that could not be described, or was not yet."""
    return TargetFacts(
        key=identity_hash([plan.target, plan.target_parameters]),
        name=plan.target,
        parameters=dict(plan.target_parameters),
        dim=0,
        description=description,
        formula="",
        source="",
        tags=[],
        truth_origin=None,
        truth_note="",
        mean_log_density=None,
    )


@dataclass(frozen=True)
class Described:
    """A target that was described."""

    facts: TargetFacts
    portrait: bytes  # an npz
    identity: TargetIdentity  # of the target that they are of


def describe(plan: CellPlan, folders: Folders) -> Described:
    """Facts and portrait of the target of `plan`."""
    target = target_of(plan, folders)
    reference = Reference.of(target)
    arrays: dict[str, Array] = {}
    if reference.available:
        arrays["draws"] = reference.points.astype(np.float32)
        arrays["log_density"] = reference.log_density.astype(np.float32)
    arrays |= _examples(target)
    if target.dim == 2 and (reference.available or target.examples is not None):
        around = reference.points if reference.available or target.examples is None else target.examples.held_out
        arrays |= _grid(target, around)
    arrays |= {key: values.astype(np.float32) for key, values in metrics.fields(target).items()}
    counterpart = target.counterpart
    modes, truth = target.modes, target.truth
    several = modes is not None and len(modes.weights) > 1
    facts = TargetFacts(
        key=identity_hash([target.name, target.parameters]),
        name=target.name,
        parameters=target.parameters,
        dim=target.dim,
        description=target.description,
        formula=target.formula,
        source=target.source,
        tags=list(target.tags),
        truth_origin=truth.origin if truth is not None else None,
        truth_note=truth.note if truth is not None else "",
        mean_log_density=truth.mean_log_density if truth is not None else None,
        mode_locations=modes.locations.tolist() if several and modes is not None else None,
        mode_weights=modes.weights.tolist() if several and modes is not None else None,
        examples=_example_facts(target),
        counterpart=None if counterpart is None else counterpart.name,
        counterpart_is_source=counterpart is not None and counterpart.is_source,
        score_error=metrics.score_error(target),
    )
    return Described(facts, npz(**arrays), identity_of(plan, folders))


def _grid(target: Target, points: Array) -> dict[str, Array]:
    """Log density (y, x) on a grid that covers the exact draws generously."""
    low, high = np.quantile(points, 0.002, axis=0), np.quantile(points, 0.998, axis=0)
    margin = 0.25 * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], GRID_POINTS) for i in (0, 1))
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    values = target.log_density_and_gradient(corners)[0].reshape(GRID_POINTS, GRID_POINTS)
    return {"grid_x": x, "grid_y": y, "grid_log_density": values.astype(np.float32)}


def _examples(target: Target) -> dict[str, Array]:
    """Held-out examples (n, dim), what is added to them to give pixels, and the direction in which they differ most."""
    examples = target.examples
    if examples is None:
        return {}
    held_out = examples.held_out
    return {
        "held_out": held_out[: figure_count(target)].astype(np.float32),
        "spread": np.array(held_out.std(axis=0).mean()),
        "centre": np.zeros(target.dim) if examples.centre is None else examples.centre,
        "direction": metrics.principal_components(held_out, 1)[:, 0],
    }


def _example_facts(target: Target) -> ExampleFacts | None:
    examples = target.examples
    if examples is None:
        return None
    return ExampleFacts(
        held_out=len(examples.held_out),
        classes=examples.classes,
        shape=None if examples.shape is None else list(examples.shape),
        pixels=list(examples.pixels),
        classifier_accuracy=examples.classifier_accuracy,
        classifier=examples.classifier_description,
        class_names=None if examples.class_names is None else list(examples.class_names),
    )
