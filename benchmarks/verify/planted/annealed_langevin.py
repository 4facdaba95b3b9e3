"""Faults planted in `annealed_langevin`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "annealed_schedule": Fault(
        "steps go with σ, not σ²",
        replaced=(("(sigma_at(data, level) / smallest) ** 2", "(sigma_at(data, level) / smallest)"),),
    ),
    "annealed_noise": Fault(
        "√2 missing in the noise", replaced=(("np.sqrt(2.0 * size * temperature)", "np.sqrt(size * temperature)"),)
    ),
}
