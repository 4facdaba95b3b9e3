"""The figures of the report, each made of stored results alone.

Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from mcmc_bench.report.canvas import INK, Look, Picture, picture, reference_line, style
from mcmc_bench.report.choice import by_sampler, shown_cells, sweeps_over
from mcmc_bench.report.words import sampler_name
from mcmc_bench.results import Cell, Results

Array = npt.NDArray[np.float64]

SPREAD = "within_mode_variance_ratio"
#: Levels of log density below the maximum at which contours are drawn.
CONTOURS = (9.0, 6.0, 4.0, 2.0, 0.5)
SCATTERED = 1000
#: Chains and draws whose ranks and traces are shown; simulations of ArviZ's band, which take most of the time.
RANKED_CHAINS, RANKED_DRAWS, BAND_SIMULATIONS = 4, 150, 200


def _axis_name(label: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in label).strip("_")


def _swept_line(
    axes: Axes, cells: Sequence[Cell], setting: str, metric: str, look: Look, positions: dict[float, float] | None = None
) -> bool:
    """Value against a setting, with intervals and the closed form, for each sampler. False if there is nothing."""
    drawn = False
    for sampler, own in by_sampler(cells).items():
        points = [(cell.settings[setting], row) for cell in own if (row := cell.row(metric)) is not None]
        points = sorted((x, row) for x, row in points if row.value is not None) if points else []
        if not points:
            continue
        place = [positions[x] if positions else x for x, _ in points]
        value = np.array([row.value for _, row in points], dtype=float)
        low = np.array([row.low if row.low is not None else row.value for _, row in points], dtype=float)
        high = np.array([row.high if row.high is not None else row.value for _, row in points], dtype=float)
        colour = look.colours[sampler]
        axes.errorbar(
            place, value, np.stack([np.maximum(value - low, 0), np.maximum(high - value, 0)]), color=colour,
            marker=look.markers[sampler], capsize=2, elinewidth=1, label=sampler_name(sampler), zorder=3,
        )  # fmt: skip
        known = [(at, row.predicted) for at, (_, row) in zip(place, points, strict=True) if row.predicted is not None]
        if known:
            axes.plot(*zip(*known, strict=True), color=INK, linestyle="--", linewidth=1, alpha=0.75, zorder=2)
            axes.plot(*zip(*known, strict=True), linestyle="none", marker="x", markersize=7, color=INK, alpha=0.75, zorder=4)
        drawn = True
    return drawn


def _floor_band(axes: Axes, cells: Sequence[Cell], metric: str) -> None:
    floors = [row.floor for cell in cells if (row := cell.row(metric)) is not None and row.floor is not None]
    if floors:
        reference_line(axes, float(np.mean(floors)))


def noise_dial(results: Results, look: Look) -> list[Picture]:
    """Spread, log p gap and distance against the temperature, one figure for each target."""
    found = []
    for label, cells in sweeps_over(results, "temperature").items():
        values = sorted({cell.settings["temperature"] for cell in cells})
        positions = {value: float(index) for index, value in enumerate(values)}
        name = f"dial_{_axis_name(label)}"
        with style(name):
            figure = Figure(figsize=(9.6, 2.75), layout="constrained")
            axes = figure.subplots(1, 3)
            panels = (
                (SPREAD, "spread within modes / true", 1.0),
                ("log_density_gap_sd", "gap of log p, in its sd", 0.0),
                ("sliced_wasserstein_1", "sliced Wasserstein-1", None),
            )
            for panel, (metric, title, ideal) in zip(axes, panels, strict=True):
                _swept_line(panel, cells, "temperature", metric, look, positions)
                if ideal is not None:
                    reference_line(panel, ideal)
                else:
                    _floor_band(panel, cells, metric)
                    panel.set_ylim(bottom=0)
                panel.axvspan(
                    positions.get(1.0, -1) - 0.25, positions.get(1.0, -1) + 0.25, color=INK, alpha=0.07, linewidth=0
                ) if 1.0 in positions else None
                panel.set_title(title, loc="left")
                panel.set_xticks(list(positions.values()), [f"{value:g}" for value in values])
                panel.set_xlabel("noise temperature τ")
            axes[0].legend(loc="upper left")
            found.append(
                picture(
                    name,
                    f"{label}: the noise dial. τ = 0 is gradient ascent, τ = 1 (shaded) is Langevin. Crosses and dashed "
                    "lines: closed form. Dotted: the right answer, or the floor of independent exact draws. Bars: 95 % "
                    "intervals over replicates.",
                    figure,
                )
            )
    return found


def step_size(results: Results, look: Look) -> list[Picture]:
    """ULA's bias and MALA's acceptance against the step size, one figure for each target."""
    found = []
    for label, every in sweeps_over(results, "step_size").items():
        cells = [cell for cell in every if "temperature" in cell.settings]  # one convention of the step: Langevin's
        if len({cell.settings["step_size"] for cell in cells}) < 2:
            continue
        name = f"step_size_{_axis_name(label)}"
        with style(name):
            figure = Figure(figsize=(9.6, 2.75), layout="constrained")
            axes = figure.subplots(1, 3)
            panels = ((SPREAD, "spread within modes / true"), ("acceptance_rate", "acceptance"), ("efficiency", "efficiency"))
            for panel, (metric, title) in zip(axes, panels, strict=True):
                own = [cell for cell in cells if metric != "acceptance_rate" or cell.sampler_kind == "exact"]
                _swept_line(panel, own, "step_size", metric, look)
                panel.set_title(title, loc="left")
                panel.set_xscale("log")
                ticks = sorted({cell.settings["step_size"] for cell in cells})
                panel.xaxis.set_major_locator(FixedLocator(ticks[:: max(1, len(ticks) // 5)]))
                panel.xaxis.set_minor_locator(NullLocator())
                panel.xaxis.set_major_formatter(lambda value, position: f"{value:g}")
                panel.set_xlabel("step size ε")
            reference_line(axes[0], 1.0)
            axes[1].set_ylim(0, 1.05)
            axes[2].set_ylim(bottom=0)
            axes[2].set_title("real ESS / evaluation, of the oracle's", loc="left")
            axes[0].legend(loc="upper left")
            found.append(
                picture(
                    name,
                    f"{label}: what a larger step costs. ULA pays in bias, MALA in rejected proposals. Crosses and "
                    "dashed lines: closed form. Dotted: the right answer.",
                    figure,
                )
            )
    return found


def sampled_points(results: Results, label: str, look: Look) -> Picture | None:
    """Draws of each sampler over the density, small multiples: a column for each sampler, a row for each start."""
    cells = [cell for cell in shown_cells(results, label) if results.draws(cell) is not None]
    portrait = results.portrait(label)
    if not cells or portrait is None:
        return None
    samplers = list(by_sampler(cells))
    samplers.sort(key=lambda name: look.colours[name] == INK)  # the oracle last
    starts = list(dict.fromkeys(cell.start for cell in cells))
    name = f"draws_{_axis_name(label)}"
    with style(name):
        figure = Figure(figsize=(1.95 * len(samplers) + 0.4, 2.05 * len(starts) + 0.35), layout="constrained")
        grid = figure.subplots(len(starts), len(samplers), squeeze=False, sharex=True, sharey=True)
        for row, start in enumerate(starts):
            for column, sampler in enumerate(samplers):
                axes = grid[row, column]
                cell = next((c for c in cells if c.sampler == sampler and c.start == start), None)
                if row == 0:
                    axes.set_title(sampler_name(sampler))
                if column == 0:
                    axes.set_ylabel(f"{start.replace('_', ' ')} start")
                if cell is None:
                    axes.set_axis_off()
                    continue
                _background(axes, portrait)
                stored = results.draws(cell)
                assert stored is not None
                points = stored["position"].reshape(-1, stored["position"].shape[2])
                points = points[np.isfinite(points).all(axis=1)][:, :2]
                points = points[:: max(1, len(points) // SCATTERED)]
                x, y = points[:, 0], points[:, 1] if points.shape[1] > 1 else np.zeros(len(points))
                axes.plot(x, y, ".", color=look.colours[sampler], markersize=3.0, alpha=0.7, rasterized=True, zorder=3)
                axes.tick_params(labelsize=7.5)
        _frame(grid[0, 0], portrait)
        dimensions = results.targets[label].dim
        over = "contours of the density" if "grid_x" in portrait else "exact draws in grey"
        which = "" if dimensions <= 2 else f" First two of {dimensions} coordinates."
        return picture(name, f"{label}: draws of each sampler at its best setting, over {over}.{which}", figure)


def _background(axes: Axes, portrait: dict[str, Array]) -> None:
    if "grid_x" in portrait:
        values = portrait["grid_log_density"]
        levels = values.max() - np.array(CONTOURS)
        axes.contour(
            portrait["grid_x"], portrait["grid_y"], values, levels=levels, colors=INK, linewidths=0.6, alpha=0.45,
            linestyles="solid",
        )  # fmt: skip
    elif "draws" in portrait and portrait["draws"].shape[1] > 1:
        axes.plot(*portrait["draws"][:SCATTERED, :2].T, ".", color="#999999", markersize=1.6, alpha=0.5, rasterized=True)


def _frame(axes: Axes, portrait: dict[str, Array]) -> None:
    """Limits from the density, so that one chain far away does not squeeze the rest."""
    if "grid_x" in portrait:
        axes.set(xlim=portrait["grid_x"][[0, -1]], ylim=portrait["grid_y"][[0, -1]])
    elif "draws" in portrait and portrait["draws"].shape[1] > 1:
        low, high = np.quantile(portrait["draws"][:, :2], (0.002, 0.998), axis=0)
        margin = 0.35 * (high - low)
        axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))


def _one_start(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of the first start, so that every sampler has one line."""
    return [cell for cell in cells if cell.start == cells[0].start] if cells else []


def density_and_error(results: Results, label: str, look: Look) -> Picture | None:
    """log p of the draws against the truth's, and the error against the evaluations with the oracle's line."""
    cells = _one_start([cell for cell in shown_cells(results, label) if cell.outcome == "finished"])
    with_histogram = [cell for cell in cells if "log_density_histogram" in cell.curves]
    with_error = [cell for cell in cells if "error" in cell.curves]
    if not with_histogram and not with_error:
        return None
    name = f"errors_{_axis_name(label)}"
    with style(name):
        figure = Figure(figsize=(9.6, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2)
        _log_density(left, with_histogram, look)
        _error(right, with_error, look)
        return picture(
            name,
            f"{label}: left, log p of the draws (lines) against the truth (filled): what sits far to the right has "
            "fallen onto a peak. Right, the worst squared error b² of one chain's running means, median over chains; "
            "dotted: 0.01, called low.",
            figure,
        )


def _log_density(axes: Axes, cells: Sequence[Cell], look: Look) -> None:
    axes.set_title("log p of the draws", loc="left")
    axes.set_xlabel("log p")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if not cells:
        axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center")
        return
    for index, cell in enumerate(cells):
        curve = cell.curves["log_density_histogram"]
        edges, heights = np.array(curve["edges"]), np.array(curve["cell"], dtype=float)
        if index == 0:
            exact = np.array(curve["oracle"], dtype=float)
            top = 1.9 * exact.max()
            axes.stairs(exact, edges, fill=True, color=INK, alpha=0.15, label="truth")
        if cell.sampler_kind != "oracle":
            axes.stairs(
                np.minimum(heights, top), edges, color=look.colours[cell.sampler], linewidth=1.6,
                label=sampler_name(cell.sampler),
            )  # fmt: skip
    axes.set_ylim(0, top * 1.02)
    axes.legend(loc="upper left")


def _error(axes: Axes, cells: Sequence[Cell], look: Look) -> None:
    axes.set(xscale="log", yscale="log", xlabel="target evaluations after burn-in")
    axes.set_title("worst b² of a chain", loc="left")
    if not cells:
        return
    for cell in cells:
        curve = cell.curves["error"]
        x = np.array(curve["evaluations"], dtype=float)
        low, median, high = (np.array(curve[key], dtype=float) for key in ("low", "median", "high"))
        colour = look.colours[cell.sampler]
        if cell.sampler_kind == "oracle":
            continue
        axes.plot(x, median, color=colour, label=sampler_name(cell.sampler))
        axes.fill_between(x, low, high, color=colour, alpha=0.1, linewidth=0)
    longest = max((cell.curves["error"] for cell in cells), key=lambda curve: len(curve["evaluations"]))
    axes.plot(
        longest["evaluations"], np.array(longest["oracle_error"], dtype=float), color=INK, linestyle="--", linewidth=1.2,
        label="independent exact draws",
    )  # fmt: skip
    reference_line(axes, 0.01)
    # Far above and below nothing is to be seen.
    axes.set_ylim(1e-4, 1e3)
    axes.legend(loc="upper right", ncols=2, fontsize=8)


def modes(results: Results, label: str, look: Look) -> Picture | None:
    """Share of the draws in each mode against its true weight."""
    cells = [cell for cell in shown_cells(results, label) if "occupancy" in cell.curves]
    if not cells:
        return None
    starts = list(dict.fromkeys(cell.start for cell in cells))
    weights = np.array(cells[0].curves["occupancy"]["weights"], dtype=float)
    name = f"modes_{_axis_name(label)}"
    with style(name):
        figure = Figure(figsize=(9.6, 2.5 * len(starts) + 0.2), layout="constrained")
        grid = figure.subplots(len(starts), 1, squeeze=False)[:, 0]
        for axes, start in zip(grid, starts, strict=True):
            own = [cell for cell in cells if cell.start == start]
            place = np.arange(len(weights))
            axes.bar(place, weights, width=0.86, color=INK, alpha=0.13, label="true weight")
            for index, cell in enumerate(own):
                curve = cell.curves["occupancy"]
                value, low, high = (np.array(curve[key], dtype=float) for key in ("value", "low", "high"))
                offset = (index + 0.5) / len(own) * 0.76 - 0.38
                axes.errorbar(
                    place + offset, value, np.stack([np.maximum(value - low, 0), np.maximum(high - value, 0)]),
                    linestyle="none", marker=look.markers[cell.sampler], color=look.colours[cell.sampler], elinewidth=1,
                    label=sampler_name(cell.sampler),
                )  # fmt: skip
            axes.set_title(f"{start.replace('_', ' ')} starts", loc="left")
            axes.set_ylabel("share")
            axes.set_xticks(place, [f"{k + 1}" for k in place] if len(place) <= 25 else ["" for _ in place])
            axes.set_ylim(bottom=0)
        grid[-1].set_xlabel("mode")
        grid[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return picture(
            name, f"{label}: share of the draws in each mode; bars: 95 % intervals over replicates.", figure
        )


def ranks_and_traces(results: Results, label: str, look: Look) -> list[Picture]:
    """Ranks and traces of the first coordinate by ArviZ, a row for each sampler."""
    import arviz_base
    import arviz_plots

    cells = _one_start([cell for cell in shown_cells(results, label) if cell.outcome == "finished"])
    chains = {cell.sampler: stored["position"][:, :, 0] for cell in cells if (stored := results.draws(cell)) is not None}
    chains = {name: values for name, values in chains.items() if np.isfinite(values).all() and values.shape[1] > 8}
    if len({values.shape[0] for values in chains.values()}) != 1 or not chains:
        return []
    # ArviZ wants one shape for all: the same number of draws of each, evenly picked.
    kept = min(RANKED_DRAWS, *(values.shape[1] for values in chains.values()))
    picked = {
        sampler_name(name): values[:RANKED_CHAINS, np.linspace(0, values.shape[1] - 1, kept).round().astype(int)]
        for name, values in chains.items()
    }
    found = []
    for kind, words in (
        ("trace", "traces of the first coordinate: a good sampler looks like noise in every chain, and all alike"),
        ("rank", "ranks of the first coordinate among all chains: curves within the band mean that the chains agree"),
    ):
        name = f"{kind}_{_axis_name(label)}"
        with style(name):
            moving = picked if kind == "trace" else {key: v for key, v in picked.items() if np.ptp(v) > 0}
            if not moving:
                continue
            tree = arviz_base.from_dict({"posterior": moving})
            shape = {"figsize": (1.95 * len(moving) + 0.4, 2.2), "layout": "constrained"}
            if kind == "trace":
                collection = arviz_plots.plot_trace(tree, backend="matplotlib", figure_kwargs=shape)
            else:
                band = {"n_simulations": BAND_SIMULATIONS, "rng": np.random.default_rng(0)}
                collection = arviz_plots.plot_rank(
                    tree, backend="matplotlib", figure_kwargs=shape, stats={"ecdf_pit": band}
                )
            figure = collection.viz["figure"].item()
            for axes in figure.axes:
                axes.tick_params(labelsize=7.5)
                for artist in axes.lines:
                    artist.set_rasterized(kind == "trace")
            found.append(picture(name, f"{label}: {words}.", figure))
            import matplotlib.pyplot as plt

            plt.close(figure)
    return found
