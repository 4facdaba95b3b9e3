"""Chains that were made elsewhere, brought into the form in which everything is measured.

Reads netCDF files in ArviZ's schema. Must not know any particular target or sampler, nor how draws are measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Target

if TYPE_CHECKING:
    import xarray


def read_chains(file: str | Path, target: Target, *, evaluations: float | None = None) -> xarray.DataTree:
    """The chains in a file, as `mcmc_bench.metrics.evaluate` takes them.

    Args:
        file: netCDF with the group ``posterior``, whose variables have the dims chain and draw. Either one of them is
            called `x` and has all coordinates of the target, or the variables are taken in their order, or by the names of
            the target's coordinates where it has any and all are there.
        target: what was sampled; the draws must be of its unconstrained coordinates.
        evaluations: target evaluations (of density, gradient or both) that each chain has cost, all phases together. None
            where that is not known: a draw then counts as one, and the cost is said to be not recorded.

    Raises:
        ValueError: no such file, not netCDF, no posterior, no draws, values that are not numbers, or draws that do not fit
            the target; the message says which.
    """
    import xarray

    path = Path(file)
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        with xarray.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
    except Exception as error:
        raise ValueError(f"{path} cannot be read as netCDF in ArviZ's schema: {error}") from error
    if "posterior" not in tree.children:
        groups = ", ".join(sorted(tree.children)) or "none"
        raise ValueError(f"{path} has no group posterior (its groups: {groups})")
    posterior = tree["posterior"].to_dataset()
    x = _coordinates(posterior, target, path)
    found = {"/posterior": xarray.Dataset({"x": (("chain", "draw", "dim"), x)})}
    if "sample_stats" in tree.children:
        statistics = tree["sample_stats"].to_dataset()
        kept: dict[str, Any] = {
            name: (("chain", "draw"), statistics[name].transpose("chain", "draw").values)
            for name in ("acceptance_rate", "diverging")
            if name in statistics and set(statistics[name].dims) == {"chain", "draw"}
        }
        # Its log density may have another constant, or be of other coordinates: ours is looked up.
        if kept:
            found["/sample_stats"] = xarray.Dataset(kept)
    result = xarray.DataTree.from_dict(found)
    if evaluations is not None:
        result.attrs["sampling_evaluations"] = float(evaluations)
    return result


def _coordinates(posterior: xarray.Dataset, target: Target, path: Path) -> Array:
    """Draws (chain, draw, dim)."""
    names = [str(name) for name in posterior.data_vars if {"chain", "draw"} <= set(posterior[name].dims)]
    if not names:
        raise ValueError(f"{path}: posterior has no variable with the dims chain and draw")
    if 0 in (posterior.sizes["chain"], posterior.sizes["draw"]):
        counts = f"{posterior.sizes['chain']} chains of {posterior.sizes['draw']} draws"
        raise ValueError(f"{path}: posterior has {counts}; at least one draw of one chain is needed")
    own = target.coordinate_names
    if "x" in names and posterior["x"].size == target.dim * posterior.sizes["chain"] * posterior.sizes["draw"]:
        names = ["x"]
    elif own is not None and set(own) <= set(names):
        names = list(own)
    columns = []
    for name in names:
        values = posterior[name].transpose("chain", "draw", ...).values
        try:
            columns.append(np.asarray(values, dtype=np.float64).reshape(*values.shape[:2], -1))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: the variable {name} of posterior does not hold numbers: {error}") from error
    x = np.concatenate(columns, axis=2)
    if x.shape[2] != target.dim:
        shapes = ", ".join(f"{name}: {column.shape[2]}" for name, column in zip(names, columns, strict=True))
        raise ValueError(
            f"{path}: {target.label} has {target.dim} coordinates, and posterior has {x.shape[2]} ({shapes}); give them as one "
            "variable x with dims chain, draw, dim"
        )
    return np.ascontiguousarray(x)
