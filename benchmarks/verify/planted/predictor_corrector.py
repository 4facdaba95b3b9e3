"""Faults planted in `predictor_corrector`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "corrector_noise": Fault(
        "√2 missing in the corrector's noise", replaced=(("np.sqrt(2.0 * step_size)", "np.sqrt(step_size)"),)
    ),
}
