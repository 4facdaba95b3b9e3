"""Traces and ranks of chains, drawn by ArviZ, as pictures that suit light and dark pages.

Importing ArviZ's plots takes seconds: this module does so when it draws. Must not know any target or sampler.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.report.picture import lean

#: What is drawn: more chains would only hide each other, and the ranks of many draws take ArviZ seconds.
CHAINS, DRAWS = 4, 250
#: Simulations of the band of the rank plot, and what it holds.
SIMULATIONS, BAND = 200, 0.99
DPI = 100
#: Readable on white and on near black.
NEUTRAL = "#7d8690"
_STYLE = {
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "axes.edgecolor": NEUTRAL,
    "axes.labelcolor": NEUTRAL, "xtick.color": NEUTRAL, "ytick.color": NEUTRAL, "text.color": NEUTRAL, "font.size": 8,
    "axes.titlecolor": NEUTRAL, "axes.titlesize": 9, "axes.labelsize": 8, "axes.spines.top": False,
    "axes.spines.right": False, "lines.linewidth": 0.9,
}  # fmt: skip
_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#b06a9a"]


def traces_and_ranks(positions: Mapping[str, npt.NDArray[np.float64]]) -> tuple[bytes, bytes] | None:
    """Pictures (PNG) of the traces and of the ranks of one coordinate.

    Args:
        positions: by panel title, (chain, draw); cut to the same number of chains and draws. At least two chains.

    Returns:
        The two pictures; None if there is nothing to draw.
    """
    usable = {name: x for name, x in positions.items() if min(x.shape) > 1 and np.isfinite(x).all() and np.ptp(x) > 0}
    if not usable:
        return None
    import arviz_base
    import arviz_plots
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    chains = min(CHAINS, *(x.shape[0] for x in usable.values()))
    draws = min(DRAWS, *(x.shape[1] for x in usable.values()))
    tree = arviz_base.from_dict({"posterior": {name: x[:chains, :draws] for name, x in usable.items()}})
    shared: dict[str, Any] = {
        "backend": "matplotlib",
        "figure_kwargs": {"figsize": (2.75 * len(usable), 1.75), "figsize_units": "inches"},
        "col_wrap": len(usable),
        "color": _COLOURS[:chains],
    }
    pictures = []
    # Figures that ArviZ opens are closed here; with interactive mode off none ever appears on a screen.
    with mpl.rc_context(_STYLE), plt.ioff():
        for plot, extra in (
            (arviz_plots.plot_trace, {}),
            (arviz_plots.plot_rank, {"ci_prob": BAND, "stats": {"ecdf_pit": {"n_simulations": SIMULATIONS}}}),
        ):
            collection = plot(tree, **shared, **extra)
            figure = collection.viz["figure"].item()
            picture = io.BytesIO()
            figure.savefig(picture, format="png", dpi=DPI)
            plt.close(figure)
            pictures.append(lean(picture.getvalue()))
    return pictures[0], pictures[1]
