"""Faults planted in `random_walk_metropolis`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "walk_stuck": Fault(
        "never moves",
        replaced=(("if generator.random() < statistics[chain, ACCEPTANCE]:", "if generator.random() < 0.0:"),),
    ),
    "walk_drift": Fault(
        "proposals drift, and the ratio does not know",
        replaced=(("step_size * generator.standard_normal()", "step_size * (generator.standard_normal() + 0.1)"),),
    ),
    "walk_ratio": Fault(
        "p(y)/p(x) to the power of 0.8",
        replaced=(
            (
                "log_ratio = proposal_log_density[chain] - log_density[chain]",
                "log_ratio = 0.8 * (proposal_log_density[chain] - log_density[chain])",
            ),
        ),
    ),
}
