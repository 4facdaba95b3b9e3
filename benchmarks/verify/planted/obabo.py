"""Faults planted in `obabo`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "obabo_friction": Fault(
        "noise of a whole step after decay of a half", replaced=(("(1.0 - decay * decay)", "(1.0 - decay**4)"),)
    ),
    "obabo_temperature": Fault(
        "five parts in a hundred too hot",
        replaced=(
            (
                "decay = np.exp(-0.5 * friction * step_size)",
                "decay = np.exp(-0.5 * friction * step_size)\n    temperature *= 1.05",
            ),
        ),
    ),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "obabo": Fault("none", replaced=(("(1.0 - decay * decay)", "(1.0 - decay * decay)"),)),
}
