"""Draws as a tree of datasets in ArviZ's schema, and back.

xarray is imported where it is used: it takes a second. Must not know how draws are made or measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Cost, Draws
from mcmc_bench.core.target import Target

if TYPE_CHECKING:
    import xarray

#: Statistics of draws that have a field of their own.
_USUAL = ("lp", "acceptance_rate", "diverging", "energy_error")


def to_datatree(draws: Draws, attributes: dict[str, Any]) -> xarray.DataTree:
    """`draws` in ArviZ's schema; `attributes` and the cost become the tree's attributes."""
    import xarray

    # A sampler of another library may not record them; a variable would claim that it does.
    not_recorded = {
        name
        for what, names in (
            ("acceptance_rate", ("acceptance_rate", "mean_acceptance", "energy_error")),
            ("divergences", ("diverging", "divergences")),
        )
        if what in draws.not_recorded
        for name in names
    }

    def recorded(variables: dict[str, Any]) -> dict[str, Any]:
        return {name: variable for name, variable in variables.items() if name not in not_recorded}

    moments = xarray.Dataset(
        recorded(
            {
                "mean": (("chain", "dim"), draws.mean),
                "mean_square": (("chain", "dim"), draws.mean_square),
                "mean_acceptance": (("chain",), draws.mean_acceptance),
                "divergences": (("chain",), draws.divergences),
                "stopped_at": (("chain",), draws.stopped_at),
            }
        ),
        coords={"chain": np.arange(draws.chains), "dim": np.arange(draws.start.shape[1])},
        attrs={"transitions": draws.transitions, "thin": draws.thin},
    )
    groups = {"/moments": moments}
    if draws.position.shape[1] > 0:
        coords = {"chain": np.arange(draws.chains), "draw": np.arange(draws.position.shape[1])}
        by_draw = ("chain", "draw")
        groups["/posterior"] = xarray.Dataset(
            {"x": ((*by_draw, "dim"), draws.position)}, coords={**coords, "dim": np.arange(draws.dim)}
        )
        groups["/sample_stats"] = xarray.Dataset(
            recorded(
                {
                    "lp": (by_draw, draws.log_density),
                    "acceptance_rate": (by_draw, draws.acceptance_rate),
                    "diverging": (by_draw, draws.diverging),
                    "energy_error": (by_draw, draws.energy_error),
                    **{name: (by_draw, values) for name, values in draws.extra_statistics.items()},
                }
            ),
            coords=coords,
        )
    tree = xarray.DataTree.from_dict(groups)
    cost = {**vars(draws.cost), "evaluations": draws.cost.evaluations}
    tree.attrs.update({**attributes, **cost})
    return tree


def draws_of(tree: xarray.DataTree, target: Target) -> Draws:
    """The draws of a tree, of this package or of any other program.

    Args:
        tree: group ``posterior`` with `x` (chain, draw, dim); optionally ``sample_stats`` with `lp`, `acceptance_rate`,
            `diverging`, `energy_error` and others (chain, draw), ``moments`` as `to_datatree` makes it, and the fields of
            `Cost` as attributes.
        target: what was sampled; its log density is looked up where `lp` is not there.

    Returns:
        The draws. What the tree does not hold is in `Draws.not_recorded`. A tree never holds running means of extra
        statistics, tuned settings, mass matrix, schedule, and the last position if it was not kept.

    Raises:
        ValueError: `x` is missing or does not have the dimension of the target.
    """
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
            ("acceptance_rate", "mean_acceptance", "acceptance_rate"),
            ("divergences", "divergences", "diverging"),
        )
        if (moments is None or kept not in moments.data_vars) and not recorded(by_draw)
    }
    if not Cost(**cost).evaluations > 0.0:
        not_recorded.add("evaluations")
        cost["sampling_evaluations"] = float(draws * thin)
    return Draws(
        position=position,
        log_density=log_density,
        acceptance_rate=acceptance,
        diverging=diverging,
        energy_error=statistic("energy_error", 0.0),
        mean=moment("mean", position.mean(axis=1)),
        mean_square=moment("mean_square", (position**2).mean(axis=1)),
        mean_acceptance=moment("mean_acceptance", acceptance.mean(axis=1)),
        divergences=moment("divergences", diverging.sum(axis=1)),
        stopped_at=moment("stopped_at", first_bad),
        start=position[:, 0],
        end=position[:, -1],
        transitions=int(moments.attrs.get("transitions", draws * thin)) if moments is not None else draws * thin,
        thin=thin,
        extra_statistics={} if statistics is None else _extra(statistics),
        cost=Cost(**cost),
        not_recorded=frozenset(not_recorded),
    )


def _extra(statistics: xarray.DataTree) -> dict[str, Array]:
    """The numeric statistics of a tree besides the usual ones, by name, (chain, draw) each."""
    return {
        str(name): np.asarray(values.transpose("chain", "draw").values, dtype=np.float64)
        for name, values in statistics.data_vars.items()
        if name not in _USUAL and set(values.dims) == {"chain", "draw"} and values.dtype.kind in "fiub"
    }
