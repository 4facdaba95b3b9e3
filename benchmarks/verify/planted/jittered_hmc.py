"""Faults planted in `jittered_hmc`."""

from mcmc_bench.checks.kernel.mutants import Fault

#: Trajectories whose length is several steps, so that twice and half of it lead elsewhere.
SHORT_STEPS = (("step_size", 0.4), ("trajectory_length", 0.8), ("jitter", 0.1))

FAULTS = {
    "jitter_state": Fault(
        "the length of the trajectory depends on where a chain is",
        replaced=(
            (
                "    propose_by_random_length(\n",
                "    length *= 2.0 if position[0, 0] > 0.0 else 0.5\n    propose_by_random_length(\n",
            ),
        ),
        settings=SHORT_STEPS,
    ),
    "jitter_one_normal": Fault(
        "one normal for all coordinates of the momentum",
        replaced=(
            (
                "    fill_standard_normal(generator, scratch[0])\n",
                "    fill_standard_normal(generator, scratch[0])\n    for i in range(position.shape[1]):\n        scratch[0, :, i] = scratch[0, :, 0]\n",
            ),
        ),
    ),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "jittered_hmc": Fault(
        "none", replaced=(("    propose_by_random_length(\n", "    propose_by_random_length(\n"),), settings=SHORT_STEPS
    ),
}
