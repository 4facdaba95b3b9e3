"""Faults planted in `generalised_hmc`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "generalised_no_flip": Fault(
        "momentum not turned round on refusal",
        replaced=(
            ("momentum[chain, i] = -initial_momentum[chain, i]", "momentum[chain, i] = initial_momentum[chain, i]"),
        ),
    ),
    "generalised_refresh": Fault(
        "√(1 − α²) became 1 − α",
        replaced=(
            ("scale = np.sqrt(temperature * (1.0 - decay * decay))", "scale = np.sqrt(temperature) * (1.0 - decay)"),
        ),
    ),
}
