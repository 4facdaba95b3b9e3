"""Faults planted in `randomised_hmc`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "randomised_uncorrected": Fault(
        "energy error of the wrong sign",
        replaced=(("energy_error = final - initial", "energy_error = initial - final"),),
    ),
}
