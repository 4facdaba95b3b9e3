"""Faults planted in `parallel_tempering`."""

from mcmc_bench.checks.kernel.mutants import Fault

#: Replicas so few and steps so long that an error of the hot ones reaches the cold one.
FEW_REPLICAS = (("replicas", 3), ("hottest", 0.2), ("num_integration_steps", 1))

#: Two replicas that differ little and refuse much: what the hot one gets wrong is in the cold one at once.
TWO_REPLICAS = (("replicas", 2), ("hottest", 0.7), ("num_integration_steps", 1), ("step_size", 1.2))

FAULTS = {
    "tempering_hot": Fault(
        "no correction in the hot replicas",
        replaced=(
            (
                "            if generator.random() < acceptance:\n                value[k, chain] = prop",
                "            if k > 0 or generator.random() < acceptance:\n                value[k, chain] = prop",
            ),
        ),
        settings=FEW_REPLICAS,
    ),
    "tempering_ratio": Fault(
        "0.8 ΔH in the hot replicas",
        replaced=(
            (
                "energy_error = kinetic_energy(momentum[k, chain]) - beta[k] * proposal_value[k, chain] - energy[k, chain]",
                "energy_error = kinetic_energy(momentum[k, chain]) - beta[k] * proposal_value[k, chain] - energy[k, chain]\n            if k > 0:\n                energy_error *= 0.8",
            ),
        ),
        settings=TWO_REPLICAS,
    ),
    "tempering_swap_ratio": Fault(
        "swap ratio to the power of 0.8",
        replaced=(("log_ratio = (beta[k] - beta[k + 1]) * (", "log_ratio = 0.8 * (beta[k] - beta[k + 1]) * ("),),
    ),
    "tempering_swap": Fault(
        "swap ratio upside down",
        replaced=(
            (
                "(beta[k] - beta[k + 1]) * (value[k + 1, chain] - value[k, chain])",
                "(beta[k] - beta[k + 1]) * (value[k, chain] - value[k + 1, chain])",
            ),
        ),
    ),
    "tempering_always": Fault(
        "swaps always accepted",
        replaced=(("if k % 2 == parity and generator.random() < acceptance:", "if k % 2 == parity:"),),
    ),
    "tempering_force": Fault(
        "gradients not swapped with their states",
        replaced=(
            (
                "                    force[k, chain, i], force[k + 1, chain, i] = force[k + 1, chain, i], force[k, chain, i]\n",
                "",
            ),
        ),
    ),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "parallel_tempering": Fault(
        "none",
        replaced=(
            (
                "if k % 2 == parity and generator.random() < acceptance:",
                "if k % 2 == parity and generator.random() < acceptance:",
            ),
        ),
        settings=FEW_REPLICAS,
    ),
    "parallel_tempering_two": Fault(
        "none",
        replaced=(
            (
                "if k % 2 == parity and generator.random() < acceptance:",
                "if k % 2 == parity and generator.random() < acceptance:",
            ),
        ),
        settings=TWO_REPLICAS,
    ),
}
