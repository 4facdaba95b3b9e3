"""Faults planted in `tamed_ula`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "tamed_one_normal": Fault(
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
    "tamed_noise": Fault(
        "noise √1.8, not √2",
        replaced=(("noise_scale = np.sqrt(2.0 * step_size)", "noise_scale = np.sqrt(1.8 * step_size)"),),
    ),
    "tamed_norm": Fault("the drift is tamed by ‖g‖², not ‖g‖", replaced=(("norm = np.sqrt(norm)", "norm = norm"),)),
}
