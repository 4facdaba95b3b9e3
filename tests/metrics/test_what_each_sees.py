"""Every metric moves for what it claims to see, and does not for what it is blind to: the table, asserted.

A metric has moved if its mean over replicates differs from that of independent draws by more than 8 standard errors
(Welch), and has not if by less than 7. A blind entry fails right code with probability below 3e-4 (Student's t with 7
degrees of freedom, the fewest), all 30 with below 1 %.
"""

from __future__ import annotations

import numpy as np
import pytest

from mcmc_bench.core.draws import Draws
from mcmc_bench.core.target import Target

from .conftest import SPOILERS, evaluate

GROUPS = ("convergence", "accuracy", "distance", "modes")

SEES = {
    "collapsed": """ess_bulk_min ess_tail_min within_chain_variance z_max bias_squared_max real_ess efficiency
        sliced_wasserstein_1 energy_distance maximum_mean_discrepancy log_density_gap
        within_mode_variance_ratio distinct_end_points transitions_per_1000""",
    "one mode missed": """z_max calibration bias_squared_average bias_squared_max real_ess sliced_wasserstein_1
        sliced_wasserstein_2 energy_distance maximum_mean_discrepancy modes_found mode_weight_error occupancy_entropy
        silent_failure within_chain_variance transitions_per_1000""",
    "reweighted": """z_max calibration bias_squared_average bias_squared_max real_ess sliced_wasserstein_1
        sliced_wasserstein_2 energy_distance maximum_mean_discrepancy mode_weight_error silent_failure""",
    "inflated": """log_density_gap log_density_gap_sd within_mode_variance_ratio unassigned_share""",
    "junk": """z_max bias_squared_average bias_squared_max real_ess sliced_wasserstein_1 energy_distance
        maximum_mean_discrepancy log_density_gap unassigned_share mode_weight_error""",
}

BLIND = {
    # Ascent from starts in the right proportions: the modes are all there, with their weights. With modes far apart
    # Wasserstein-2 is ruled by how many draws are in each, down to its floor.
    "collapsed": "modes_found mode_weight_error occupancy_entropy sliced_wasserstein_2",
    # Diagnostics that know no truth see nothing of a mode that no chain visits, nor does log p, nor the spread.
    "one mode missed": """r_hat_max ess_bulk_min ess_tail_min ess_log_density within_mode_variance_ratio
        unassigned_share distinct_end_points""",
    "reweighted": """r_hat_max ess_bulk_min ess_tail_min modes_found within_mode_variance_ratio unassigned_share
        distinct_end_points""",
    "inflated": """r_hat_max ess_bulk_min ess_tail_min modes_found mode_weight_error occupancy_entropy
        transitions_per_1000""",
    "junk": "r_hat_max ess_bulk_min modes_found distinct_end_points",
}


def _differences(toy: Target, spoiled: dict[str, list[Draws]]) -> dict[str, dict[str, float]]:
    """Difference from independent draws of every metric, in standard errors; by fixture."""
    values: dict[str, dict[str, list[float | None]]] = {}
    for name, replicates in spoiled.items():
        values[name] = {}
        for draws in replicates:
            for metric, one in evaluate(toy, [draws], *GROUPS).items():
                values[name].setdefault(metric, []).append(one.value)
    differences: dict[str, dict[str, float]] = {}
    for name in SPOILERS:
        differences[name] = {}
        for metric, of_replicates in values[name].items():
            if None in of_replicates:
                continue
            x, y = np.array(of_replicates, dtype=float), np.array(values["independent"][metric], dtype=float)
            error = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / len(x))
            change = float(x.mean() - y.mean())
            differences[name][metric] = change / error if error > 0 else np.copysign(np.inf, change) if change else 0.0
    return differences


@pytest.fixture(scope="module")
def differences(toy: Target, spoiled: dict[str, list[Draws]]) -> dict[str, dict[str, float]]:
    return _differences(toy, spoiled)


@pytest.mark.parametrize(
    ("fixture", "metric"), [(name, metric) for name, text in SEES.items() for metric in text.split()]
)
def test_it_moves_for_what_it_claims_to_see(
    differences: dict[str, dict[str, float]], fixture: str, metric: str
) -> None:
    assert abs(differences[fixture][metric]) > 8, f"{metric} on {fixture}: {differences[fixture][metric]:.1f} errors"


@pytest.mark.parametrize(
    ("fixture", "metric"), [(name, metric) for name, text in BLIND.items() for metric in text.split()]
)
def test_it_does_not_see(differences: dict[str, dict[str, float]], fixture: str, metric: str) -> None:
    assert abs(differences[fixture][metric]) < 7, f"{metric} on {fixture}: {differences[fixture][metric]:.1f} errors"
