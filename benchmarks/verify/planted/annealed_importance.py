"""Faults planted in `annealed_importance`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "importance_weight": Fault(
        "the last weight is left out",
        replaced=(
            (
                "            log_weight[chain] += (beta[k - 1] - beta[k]) *",
                "            log_weight[chain] += (beta[k - 1] - beta[k] if k > 1 else 0.0) *",
            ),
        ),
    ),
    "importance_half": Fault(
        "the square root of the ratio of weights",
        replaced=(
            (
                "        log_ratio = log_weight[chain] - old_log_weight[chain]",
                "        log_ratio = 0.5 * (log_weight[chain] - old_log_weight[chain])",
            ),
        ),
    ),
    "importance_uncorrected": Fault(
        "the steps between temperatures are never refused",
        replaced=(
            (
                "            if generator.random() < acceptance_probability(log_ratio):\n                move(chain, y",
                "            if generator.random() < 2.0:\n                move(chain, y",
            ),
        ),
    ),
    "importance_stale": Fault(
        "the old weight is not kept", replaced=(("            old_log_weight[chain] = log_weight[chain]\n", ""),)
    ),
}
