"""Faults planted in `barker`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "barker_sign": Fault(
        "the gradient points the wrong way in the proposal",
        replaced=(("sigmoid(z * gradient", "sigmoid(-z * gradient"),),
    ),
    "barker_no_ratio": Fault(
        "the way back is left out of the ratio",
        replaced=(("difference * proposal_gradient[chain, i]", "-difference * gradient[chain, i]"),),
    ),
}
