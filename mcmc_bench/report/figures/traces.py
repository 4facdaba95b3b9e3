"""Traces and ranks of chains, drawn by ArviZ, as pictures that suit light and dark pages.

Importing ArviZ's plots takes seconds: this module does so when it draws. Must not know any target or sampler.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.report.figures.picture import lean

#: What is drawn, evenly picked: more chains would hide each other, and ArviZ takes seconds for the ranks of many draws.
CHAINS, DRAWS = 4, 125
#: Fewer draws of a chain make no trace.
FEWEST_DRAWS = 20
#: Simulations of the band of the rank plot, and the share of them that it holds.
SIMULATIONS, BAND = 100, 0.94
DPI = 110
INK = "#5d6670"
_STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 0.9,
}
_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#b06a9a"]


def traces_and_ranks(positions: Mapping[str, npt.NDArray[np.float64]]) -> tuple[bytes, bytes] | None:
    """Pictures (PNG, on white) of the traces and of the ranks of one coordinate.

    Args:
        positions: by panel title, (chain, draw); cut to the same number of chains and draws. At least two chains
            and FEWEST_DRAWS draws; others are left out.

    Returns:
        The two pictures; None if there is nothing to draw.
    """
    usable = {
        name: x
        for name, x in positions.items()
        if len(x) > 1 and x.shape[1] >= FEWEST_DRAWS and np.isfinite(x).all() and np.ptp(x) > 0
    }
    if not usable:
        return None
    import arviz_base
    import arviz_plots
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    chains = min(CHAINS, *(x.shape[0] for x in usable.values()))
    draws = min(DRAWS, *(x.shape[1] for x in usable.values()))
    picked = {name: x[:chains, np.linspace(0, x.shape[1] - 1, draws).round().astype(int)] for name, x in usable.items()}
    tree = arviz_base.from_dict({"posterior": picked})
    width = 2.1 * len(usable)
    arguments: dict[str, Any] = {
        "backend": "matplotlib",
        "col_wrap": len(usable),
        "color": _COLOURS[:chains],
        "figure_kwargs": {"figsize": (width, 1.75), "figsize_units": "inches"},
    }
    ranks: dict[str, Any] = {
        "stats": {"ecdf_pit": {"n_simulations": SIMULATIONS}},
        "visuals": {"credible_interval": {"color": "#8a929b", "alpha": 0.25}},
    }
    if "envelope_prob" in inspect.signature(arviz_plots.plot_rank).parameters:  # 1.x, from Python 3.12
        ranks |= {"envelope_prob": BAND, "method": "envelope", "thin": False}
    else:
        ranks |= {"ci_prob": BAND}
    pictures = []
    # Figures that ArviZ opens are closed here; with interactive mode off none ever appears on a screen.
    with mpl.rc_context(_STYLE), plt.ioff():
        for plot, further in ((arviz_plots.plot_trace, {}), (arviz_plots.plot_rank, ranks)):
            figure = plot(tree, **arguments, **further).viz["figure"].item()
            figure.subplots_adjust(left=0.36 / width, right=1 - 0.1 / width, bottom=0.25, top=0.86, wspace=0.24)
            picture = io.BytesIO()
            figure.savefig(picture, format="png", dpi=DPI)
            plt.close(figure)
            pictures.append(lean(picture.getvalue()))
    return pictures[0], pictures[1]
