"""Faults planted in `ula`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "ula_noise": Fault(
        "√2 missing in the noise",
        replaced=(("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),),
    ),
    "ula_half_drift": Fault(
        "half the drift",
        replaced=(("+= step_size * gradient[chain, i] + noise", "+= 0.5 * step_size * gradient[chain, i] + noise"),),
    ),
    "ula_one_normal": Fault(
        "one normal for all coordinates",
        replaced=(
            (
                "            noise = noise_scale * generator.standard_normal()",
                "            noise = noise_scale * generator.standard_normal() if i == 0 else noise",
            ),
            (
                "        log_ratio[chain] = -log_density[chain]\n",
                "        log_ratio[chain] = -log_density[chain]\n        noise = 0.0\n",
            ),
        ),
    ),
}
