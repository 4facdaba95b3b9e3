"""Faults planted in `preconditioned_ula`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "preconditioned_noise": Fault(
        "√2 missing in the noise",
        replaced=(("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),),
    ),
}
