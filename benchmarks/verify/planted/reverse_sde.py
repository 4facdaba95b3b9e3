"""Faults planted in `reverse_sde`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "reverse_noise": Fault("no noise", replaced=(("+ np.sqrt(variance) * generator.standard_normal()", ""),)),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "reverse_sde": Fault(
        "none",
        replaced=(
            ("+ np.sqrt(variance) * generator.standard_normal()", "+ np.sqrt(variance) * generator.standard_normal()"),
        ),
    ),
}
