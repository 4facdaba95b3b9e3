"""Faults planted in `sgld`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "sgld_one_normal": Fault(
        "one normal for all coordinates",
        replaced=(
            (
                "    for j in range(x.shape[0]):\n        x[j] += step_size * score[j] + noise_scale * generator.standard_normal()",
                "    z = 0.0\n    for j in range(x.shape[0]):\n        if j % position.shape[1] == 0:\n            z = generator.standard_normal()\n        x[j] += step_size * score[j] + noise_scale * z",
            ),
        ),
    ),
    "sgld_rows": Fault(
        "the same rows in every step",
        replaced=(("data[3 + j] = np.floor(rows * generator.random())", "data[3 + j] = float(j)"),),
    ),
    "sgld_noise": Fault("√2 missing in the noise", replaced=(("np.sqrt(2.0 * step_size)", "np.sqrt(step_size)"),)),
}
