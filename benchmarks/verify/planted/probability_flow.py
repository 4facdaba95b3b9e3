"""Faults planted in `probability_flow`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "flow_twice": Fault(
        "the drift of the SDE, without its noise",
        replaced=(
            ("first_slope[j] = -sigma * score[j]", "first_slope[j] = -2.0 * sigma * score[j]"),
            ("-next_sigma * score[j]", "-2.0 * next_sigma * score[j]"),
        ),
    ),
}
