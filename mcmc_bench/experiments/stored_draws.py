"""The draws of a cell as they are stored: thinned for the figures of the report, and all of them in ArviZ's schema.

Knows the contracts of targets, samplers and draws. Must not know how draws are made, nor where they are stored.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.sampler import Sampler
from mcmc_bench.core.target import Target
from mcmc_bench.experiments.cells import CellPlan
from mcmc_bench.sampling.snapshots import trajectory_snapshots

#: Points and chains of a cell that are kept for the figures, at half the precision.
FIGURE_POINTS, FIGURE_CHAINS = 2000, 16
#: Data that are kept for the figures, held-out examples and ends of chains: so many, or more of few coordinates.
FIGURE_DATA, FIGURE_NUMBERS = 64, 4000


def npz(**arrays: Array) -> bytes:
    """The bytes of a compressed npz."""
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def figure_count(target: Target) -> int:
    """The number of data that are kept for the figures."""
    return max(FIGURE_DATA, FIGURE_NUMBERS // target.dim)


def figure_draws(plan: CellPlan, target: Target, sampler: Sampler, draws: Draws) -> bytes:
    """The npz of a cell that `mcmc_bench.core.results.Results.draws` reads."""
    return npz(**_thinned(draws), **_data(plan, target, sampler, draws))


def _thinned(draws: Draws) -> dict[str, Array]:
    chains = min(FIGURE_CHAINS, draws.chains)
    kept = draws.position.shape[1]
    step = max(1, -(-kept * chains // FIGURE_POINTS))
    with np.errstate(over="ignore"):  # a chain that has been flung away is at infinity in a figure
        return {
            "position": draws.position[:chains, ::step].astype(np.float32),
            "log_density": draws.log_density[:chains, ::step].astype(np.float32),
        }


def _data(plan: CellPlan, target: Target, sampler: Sampler, draws: Draws) -> dict[str, Array]:
    """Where the density was learned from examples: denoised ends of chains, as they are measured, and snapshots."""
    if target.examples is None:
        return {}
    finite = draws.end[np.isfinite(draws.end).all(axis=1)]
    arrays: dict[str, Array] = {"data": target.examples.denoised(finite[: figure_count(target)]).astype(np.float32)}
    # Without the sampler's name and settings: snapshots of one target begin at the same points.
    snapshots = trajectory_snapshots(
        target, sampler, {**plan.settings, **draws.tuned}, (plan.seed, target.label, "film")
    )
    if snapshots is not None:
        last = target.examples.denoised(snapshots.position[:, -1])
        arrays["snapshots"] = np.concatenate([snapshots.position[:, :-1], last[:, None]], axis=1)
        arrays["snapshots_noise"] = snapshots.noise
    return arrays


def netcdf(replicates: Sequence[Draws], plan: CellPlan, target: Target) -> bytes:
    """All replicates as further chains of one tree, in ArviZ's schema."""
    import xarray

    from mcmc_bench.core.datatree import to_datatree

    about = {"target": target.label, "sampler": plan.sampler, "chains_per_replicate": plan.chains}
    settings = {f"setting_{key}": value for key, value in plan.settings.items()}
    trees = [to_datatree(draws, {**about, **settings}) for draws in replicates]
    groups = {
        f"/{group}": xarray.concat(
            [tree[group].to_dataset() for tree in trees], dim="chain", combine_attrs="override"
        ).assign_coords(chain=np.arange(plan.chains * len(trees)))
        for group in trees[0].children
    }
    tree = xarray.DataTree.from_dict(groups)
    tree.attrs.update(trees[0].attrs)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "draws.nc"
        tree.to_netcdf(file, engine="h5netcdf")
        return file.read_bytes()
