"""Metrics of draws in ArviZ's schema, wherever they come from.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.draws import Array, Cost, Draws
from mcmc_bench.core.target import Target
from mcmc_bench.metrics.cell import evaluate_cell
from mcmc_bench.metrics.listing import definitions
from mcmc_bench.metrics.reference import Reference

if TYPE_CHECKING:
    import pandas
    import xarray


def evaluate(tree: xarray.DataTree, target: Target) -> pandas.DataFrame:
    """All metrics of one run.

    Args:
        tree: group ``posterior`` with `x` (chain, draw, dim); optionally ``sample_stats`` with `lp`,
            `acceptance_rate` and `diverging` (chain, draw), ``moments`` as `mcmc_bench.sample` makes it, and the
            attributes `warmup_evaluations` and `sampling_evaluations` (target evaluations per chain; without them, or
            where they are 0, a draw counts as one). What is not there is said to be not recorded.
        target: what was sampled.

    Returns:
        One line for each metric: metric, title, group, value, low, high, floor, censored, note, direction,
        definition. One run has no interval over replicates, as `note` says.

    Raises:
        ValueError: `x` is missing or does not have the dimension of the target.
    """
    import pandas

    draws = draws_of(tree, target)
    spent = draws.cost.warmup_evaluations + draws.cost.sampling_evaluations  # greater than 0, see `draws_of`
    values, _ = evaluate_cell(
        [draws],
        target,
        Reference.of(target),
        budget=round(spent),
        warmup_share=draws.cost.warmup_evaluations / spent,
    )
    known = definitions()
    columns = ["metric", "value", "low", "high", "floor", "censored", "note"]
    return pandas.DataFrame(
        [
            {
                **{name: getattr(value, name) for name in columns},
                "title": known[value.metric].title,
                "group": known[value.metric].group,
                "direction": known[value.metric].direction,
                "definition": known[value.metric].definition,
            }
            for value in values
        ]
    )


def draws_of(tree: xarray.DataTree, target: Target) -> Draws:
    """The draws of a tree; see `evaluate`."""
    if "posterior" not in tree.children or "x" not in tree["posterior"].data_vars:
        raise ValueError("the tree has no posterior/x: give draws as a variable x with dims chain, draw, dim")
    x = tree["posterior"]["x"]
    if set(x.dims) != {"chain", "draw", "dim"} or x.sizes["dim"] != target.dim:
        raise ValueError(
            f"posterior/x must have dims chain, draw, dim with dim = {target.dim} for {target.label}, not {dict(x.sizes)}"
        )
    position = np.asarray(x.transpose("chain", "draw", "dim").values, dtype=np.float64)
    chains, draws = position.shape[:2]
    finite = np.asarray(np.isfinite(position).all(axis=2))

    statistics = tree.children.get("sample_stats")

    def recorded(name: str) -> bool:
        return statistics is not None and name in statistics.data_vars

    def statistic(name: str, default: float) -> Array:
        if statistics is None or not recorded(name):
            return np.full((chains, draws), default)
        return np.asarray(statistics[name].transpose("chain", "draw").values, dtype=np.float64)

    moments = tree.children.get("moments")

    def moment(name: str, default: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return default if moments is None or name not in moments.data_vars else np.asarray(moments[name].values)

    log_density = statistic("lp", np.nan)
    if not np.isfinite(log_density[finite]).all() or "sample_stats" not in tree.children:
        log_density = np.full((chains, draws), np.nan)
        log_density[finite] = target.log_density_and_gradient(position[finite])[0]
    acceptance, diverging = statistic("acceptance_rate", np.nan), statistic("diverging", 0.0) > 0
    thin = int(moments.attrs.get("thin", 1)) if moments is not None else 1
    first_bad = np.where(finite.all(axis=1), -1, finite.argmin(axis=1))
    cost = {name: float(tree.attrs[name]) for name in vars(Cost()) if name in tree.attrs}
    not_recorded = {name for name in vars(Cost()) if name.endswith("_seconds") and name not in cost}
    not_recorded |= {
        metric
        for metric, kept, by_draw in (
            ("acceptance_rate", "mean_acceptance", "acceptance_rate"), ("divergences", "divergences", "diverging"),
        )
        if (moments is None or kept not in moments.data_vars) and not recorded(by_draw)
    }  # fmt: skip
    if not Cost(**cost).evaluations > 0.0:
        not_recorded.add("evaluations")
        cost["sampling_evaluations"] = float(draws * thin)
    return Draws(
        position=position,
        log_density=log_density,
        acceptance_rate=acceptance,
        diverging=diverging,
        energy_error=np.zeros((chains, draws)),
        mean=moment("mean", position.mean(axis=1)),
        mean_square=moment("mean_square", (position**2).mean(axis=1)),
        mean_acceptance=moment("mean_acceptance", acceptance.mean(axis=1)),
        divergences=moment("divergences", diverging.sum(axis=1)),
        stopped_at=moment("stopped_at", first_bad),
        start=position[:, 0],
        end=position[:, -1],
        transitions=int(moments.attrs.get("transitions", draws * thin)) if moments is not None else draws * thin,
        thin=thin,
        cost=Cost(**cost),
        not_recorded=frozenset(not_recorded),
    )
