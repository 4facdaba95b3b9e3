"""Faults planted in `adjusted_mclmc`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "adjusted_volume": Fault(
        "change of volume left out of the ratio",
        replaced=(("kinetic_change[chain] += (dim - 1) *", "kinetic_change[chain] += 0.0 *"),),
    ),
    "adjusted_direction": Fault(
        "direction drawn in a cube",
        replaced=(
            (
                "    fill_standard_normal(generator, direction)\n",
                "    for chain in range(chains):\n        for i in range(direction.shape[1]):\n            direction[chain, i] = 2.0 * generator.random() - 1.0\n",
            ),
        ),
    ),
    "adjusted_corners": Fault(
        "direction drawn from the corners of a cube",
        replaced=(
            (
                "    fill_standard_normal(generator, direction)\n",
                "    for chain in range(chains):\n        for i in range(direction.shape[1]):\n            direction[chain, i] = 1.0 if generator.random() < 0.5 else -1.0\n",
            ),
        ),
    ),
    "adjusted_kinetic": Fault(
        "nine tenths of the change of volume",
        replaced=(("kinetic_change[chain] += (dim - 1) *", "kinetic_change[chain] += 0.9 * (dim - 1) *"),),
    ),
}
