"""Metrics of draws in ArviZ's schema, wherever they come from.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcmc_bench.core.datatree import draws_of
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
