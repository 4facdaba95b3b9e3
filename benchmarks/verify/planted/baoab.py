"""Faults planted in `baoab`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "baoab_noise": Fault(
        "√(1 − e^{−2γh}) became √(1 − e^{−γh})", replaced=(("(1.0 - decay * decay)", "(1.0 - decay)"),)
    ),
    "baoab_stale": Fault(
        "the second kick uses the old gradient",
        replaced=(
            (
                "    evaluate(target, data, position, log_density, gradient, evaluations)\n    for j in range(q.shape[0]):\n        p[j] += 0.5 * step_size * force[j]\n",
                "    for j in range(q.shape[0]):\n        p[j] += 0.5 * step_size * force[j]\n    evaluate(target, data, position, log_density, gradient, evaluations)\n",
            ),
        ),
    ),
}
