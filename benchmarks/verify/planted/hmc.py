"""Faults planted in `hmc`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "hmc_momentum": Fault(
        "momentum not refreshed",
        replaced=(
            ("    fill_standard_normal(generator, momentum)\n", "    momentum[:, :] = memory[0]\n"),
            (
                "scratch[1:],\n        evaluations,\n    )\n",
                "scratch[1:],\n        evaluations,\n    )\n    memory[0, :, :] = momentum\n",
            ),
            (
                "    scratch=6,",
                "    scratch=6,\n    memory=1,\n    init_memory=lambda target, generator, settings, schedule, position: generator.standard_normal((1, *position.shape)),",
            ),
        ),
    ),
    "hmc_momentum_high": Fault(
        "momentum twice as large in the fourth coordinate and all after",
        replaced=(
            (
                "    fill_standard_normal(generator, momentum)\n",
                "    fill_standard_normal(generator, momentum)\n    for c in range(position.shape[0]):\n        for i in range(3, position.shape[1]):\n            momentum[c, i] *= 2.0\n",
            ),
        ),
    ),
    "hmc_momentum_scale": Fault(
        "momentum too small by √2",
        replaced=(
            (
                "    fill_standard_normal(generator, momentum)\n",
                "    fill_standard_normal(generator, momentum)\n    momentum *= np.sqrt(0.5)\n",
            ),
        ),
    ),
    "hmc_kinetic": Fault(
        "kinetic energy left out of the ratio",
        replaced=(("final = kinetic_energy(momentum[chain]) - proposal", "final = initial_kinetic[chain] - proposal"),),
    ),
    "hmc_half_kick": Fault(
        "the last half kick is a whole one",
        replaced=(
            (
                "p[j] += 0.5 * step_size * force[j]\n\n\n@jit_inline\ndef kinetic",
                "p[j] += step_size * force[j]\n\n\n@jit_inline\ndef kinetic",
            ),
        ),
    ),
    "hmc_uncorrected": Fault(
        "no correction", replaced=(("if generator.random() < acceptance:", "if generator.random() >= 0.0:"),)
    ),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "hmc": Fault(
        "none",
        replaced=(
            (
                "p[j] += 0.5 * step_size * force[j]\n\n\n@jit_inline\ndef kinetic",
                "p[j] += 0.5 * step_size * force[j]\n\n\n@jit_inline\ndef kinetic",
            ),
        ),
    ),
}
