"""Faults planted in `mala`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "mala_uncorrected": Fault(
        "no correction",
        replaced=(("if generator.random() < statistics[chain, ACCEPTANCE]:", "if generator.random() >= 0.0:"),),
    ),
    "mala_ratio": Fault(
        "ratio of the proposals upside down", replaced=(("(forward - backward)", "(backward - forward)"),)
    ),
    "mala_no_ratio": Fault(
        "ratio of the proposals left out", replaced=(("(forward - backward)", "0.0 * (forward - backward)"),)
    ),
    "mala_most_of_ratio": Fault(
        "nine tenths of the ratio of the proposals",
        replaced=(("exponent += difference[j]", "exponent += 0.9 * difference[j]"),),
    ),
    "mala_stale_gradient": Fault(
        "gradient not updated on acceptance",
        replaced=(("gradient[j] = proposal_gradient[j]", "gradient[j] = gradient[j]"),),
    ),
    "mala_noise": Fault(
        "√2 missing in the noise, not in the ratio",
        replaced=(("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),),
    ),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "mala": Fault(
        "none",
        replaced=(
            (
                "if generator.random() < statistics[chain, ACCEPTANCE]:",
                "if generator.random() < statistics[chain, ACCEPTANCE]:",
            ),
        ),
    ),
}
