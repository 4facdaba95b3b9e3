"""Faults planted in every kind of kernel: what `mcmc-bench verify` has to see.

A fault is a built-in sampler's source, or that of the kernels it calls, with pieces of it replaced. Must not know how it
is looked for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import mcmc_bench
from mcmc_bench.catalog.files import sampler_files
from mcmc_bench.checks.kernel.mutants import plant

PACKAGE = Path(mcmc_bench.__path__[0])


@dataclass(frozen=True)
class Fault:
    """A planted fault."""

    sampler: str
    what: str  # in words
    replaced: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, float], ...] = ()  # with which it is looked for, where those that are tuned hide it

    def write(self, folder: Path) -> Path:
        """The faulty sampler's file in `folder`; it has the name of the built-in one, which it hides."""
        return plant(self.sampler, self.replaced, folder)


def made_of(sampler: str, fault: Fault | None = None) -> str:
    """A digest of what a verdict is made of: the sampler, the shared kernels, what drives and verifies it, and the fault."""
    driving = [PACKAGE / "core" / "sampler.py", PACKAGE / "core" / "target.py", *PACKAGE.glob("sampling/**/*.py")]
    files = [sampler_files()[sampler], *driving, *PACKAGE.glob("kernels/*.py"), *PACKAGE.glob("checks/kernel/*.py")]
    texts = [file.read_bytes() for file in sorted(files)]
    planted = repr(fault and ((fault.replaced, fault.settings) if fault.settings else fault.replaced)).encode()
    return hashlib.sha256(b"\0".join([*texts, planted])).hexdigest()[:16]


ACCEPT = "if generator.random() < acceptance:"
ACCEPT_MALA = "if generator.random() < statistics[chain, ACCEPTANCE]:"

#: Replicas so few and steps so long that an error of the hot ones reaches the cold one.
FEW_REPLICAS = (("replicas", 3), ("hottest", 0.2), ("num_integration_steps", 1))
#: Two replicas that differ little and refuse much: what the hot one gets wrong is in the cold one at once.
TWO_REPLICAS = (("replicas", 2), ("hottest", 0.7), ("num_integration_steps", 1), ("step_size", 1.2))
#: A step at which trajectories turn between two of their points, so that seams decide.
SEAMS_DECIDE = (("step_size", 0.6),)
#: Trajectories whose length is several steps, so that twice and half of it lead elsewhere.
SHORT_STEPS = (("step_size", 0.4), ("trajectory_length", 0.8), ("jitter", 0.1))

FAULTS: dict[str, Fault] = {
    "ula_noise": Fault("ula", "√2 missing in the noise", (("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),)),
    "ula_half_drift": Fault("ula", "half the drift", (("+= step_size * gradient[chain, i] + noise", "+= 0.5 * step_size * gradient[chain, i] + noise"),)),
    "ula_one_normal": Fault(
        "ula", "one normal for all coordinates",
        (("            noise = noise_scale * generator.standard_normal()", "            noise = noise_scale * generator.standard_normal() if i == 0 else noise"),
         ("        log_ratio[chain] = -log_density[chain]\n", "        log_ratio[chain] = -log_density[chain]\n        noise = 0.0\n")),
    ),
    "preconditioned_noise": Fault("preconditioned_ula", "√2 missing in the noise", (("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),)),
    "tamed_one_normal": Fault(
        "tamed_ula", "one normal for all coordinates",
        (("            noise = noise_scale * generator.standard_normal()", "            noise = noise_scale * generator.standard_normal() if i == 0 else noise"),
         ("        log_ratio[chain] = -log_density[chain]\n", "        log_ratio[chain] = -log_density[chain]\n        noise = 0.0\n")),
    ),
    "tamed_noise": Fault("tamed_ula", "noise √1.8, not √2", (("noise_scale = np.sqrt(2.0 * step_size)", "noise_scale = np.sqrt(1.8 * step_size)"),)),
    "tamed_norm": Fault("tamed_ula", "the drift is tamed by ‖g‖², not ‖g‖", (("norm = np.sqrt(norm)", "norm = norm"),)),
    "mala_uncorrected": Fault("mala", "no correction", ((ACCEPT_MALA, "if generator.random() >= 0.0:"),)),
    "mala_ratio": Fault("mala", "ratio of the proposals upside down", (("(forward - backward)", "(backward - forward)"),)),
    "mala_no_ratio": Fault("mala", "ratio of the proposals left out", (("(forward - backward)", "0.0 * (forward - backward)"),)),
    "mala_most_of_ratio": Fault("mala", "nine tenths of the ratio of the proposals", (("exponent += difference[j]", "exponent += 0.9 * difference[j]"),)),
    "mala_stale_gradient": Fault("mala", "gradient not updated on acceptance", (("gradient[j] = proposal_gradient[j]", "gradient[j] = gradient[j]"),)),
    "mala_noise": Fault("mala", "√2 missing in the noise, not in the ratio", (("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),)),
    "walk_stuck": Fault("random_walk_metropolis", "never moves", ((ACCEPT_MALA, "if generator.random() < 0.0:"),)),
    "walk_drift": Fault(
        "random_walk_metropolis", "proposals drift, and the ratio does not know",
        (("step_size * generator.standard_normal()", "step_size * (generator.standard_normal() + 0.1)"),),
    ),
    "walk_ratio": Fault(
        "random_walk_metropolis", "p(y)/p(x) to the power of 0.8",
        (("log_ratio = proposal_log_density[chain] - log_density[chain]", "log_ratio = 0.8 * (proposal_log_density[chain] - log_density[chain])"),),
    ),
    "barker_sign": Fault("barker", "the gradient points the wrong way in the proposal", (("sigmoid(z * gradient", "sigmoid(-z * gradient"),)),
    "barker_no_ratio": Fault("barker", "the way back is left out of the ratio", (("difference * proposal_gradient[chain, i]", "-difference * gradient[chain, i]"),)),
    "hmc_momentum": Fault(
        "hmc", "momentum not refreshed", (("    fill_standard_normal(generator, momentum)\n", "    momentum[:, :] = memory[0]\n"),
         ("scratch[1:], evaluations,\n    )  # fmt: skip\n", "scratch[1:], evaluations,\n    )  # fmt: skip\n    memory[0, :, :] = momentum\n"),
         ("    scratch=6,", "    scratch=6,\n    memory=1,\n    init_memory=lambda target, generator, settings, schedule, position: generator.standard_normal((1, *position.shape)),")),
    ),
    "hmc_momentum_high": Fault(
        "hmc", "momentum twice as large in the fourth coordinate and all after",
        (("    fill_standard_normal(generator, momentum)\n", "    fill_standard_normal(generator, momentum)\n    for c in range(position.shape[0]):\n        for i in range(3, position.shape[1]):\n            momentum[c, i] *= 2.0\n"),),
    ),
    "hmc_momentum_scale": Fault("hmc", "momentum too small by √2", (("    fill_standard_normal(generator, momentum)\n", "    fill_standard_normal(generator, momentum)\n    momentum *= np.sqrt(0.5)\n"),)),
    "hmc_kinetic": Fault("hmc", "kinetic energy left out of the ratio", (("final = kinetic_energy(momentum[chain]) - proposal", "final = initial_kinetic[chain] - proposal"),)),
    "hmc_half_kick": Fault("hmc", "the last half kick is a whole one", (("p[j] += 0.5 * step_size * force[j]\n\n\n@jit_inline\ndef kinetic", "p[j] += step_size * force[j]\n\n\n@jit_inline\ndef kinetic"),)),
    "hmc_uncorrected": Fault("hmc", "no correction", ((ACCEPT, "if generator.random() >= 0.0:"),)),
    "jitter_state": Fault(
        "jittered_hmc", "the length of the trajectory depends on where a chain is",
        (("    propose_by_random_length(\n        target, data, generator, step_size, np.floor(length", "    length *= 2.0 if position[0, 0] > 0.0 else 0.5\n    propose_by_random_length(\n        target, data, generator, step_size, np.floor(length"),),
        SHORT_STEPS,
    ),
    "jitter_one_normal": Fault(
        "jittered_hmc", "one normal for all coordinates of the momentum",
        (("    fill_standard_normal(generator, scratch[0])\n", "    fill_standard_normal(generator, scratch[0])\n    for i in range(position.shape[1]):\n        scratch[0, :, i] = scratch[0, :, 0]\n"),),
    ),
    "randomised_uncorrected": Fault("randomised_hmc", "energy error of the wrong sign", (("energy_error = final - initial", "energy_error = initial - final"),)),
    "generalised_no_flip": Fault("generalised_hmc", "momentum not turned round on refusal", (("momentum[chain, i] = -initial_momentum[chain, i]", "momentum[chain, i] = initial_momentum[chain, i]"),)),
    "generalised_refresh": Fault("generalised_hmc", "√(1 − α²) became 1 − α", (("scale = np.sqrt(temperature * (1.0 - decay * decay))", "scale = np.sqrt(temperature) * (1.0 - decay)"),)),
    "baoab_noise": Fault("baoab", "√(1 − e^{−2γh}) became √(1 − e^{−γh})", (("(1.0 - decay * decay)", "(1.0 - decay)"),)),
    "baoab_stale": Fault("baoab", "the second kick uses the old gradient", (("    evaluate(target, data, position, log_density, gradient, evaluations)\n    for j in range(q.shape[0]):\n        p[j] += 0.5 * step_size * force[j]\n", "    for j in range(q.shape[0]):\n        p[j] += 0.5 * step_size * force[j]\n    evaluate(target, data, position, log_density, gradient, evaluations)\n"),)),
    "obabo_friction": Fault("obabo", "noise of a whole step after decay of a half", (("(1.0 - decay * decay)", "(1.0 - decay**4)"),)),
    "obabo_temperature": Fault("obabo", "five parts in a hundred too hot", (("decay = np.exp(-0.5 * friction * step_size)", "decay = np.exp(-0.5 * friction * step_size)\n    temperature *= 1.05"),)),
    "nuts_uniform": Fault("nuts", "points drawn with equal weights", (("numbers[ERROR, top] = -error, log_density, error", "numbers[ERROR, top] = 0.0, log_density, error"),)),
    "nuts_late_stop": Fault(
        "nuts", "a sub-tree that has turned is kept as long as it went",
        (("        if not goes_on:\n            break\n\n        depth += 1", "        if not goes_on and top < 0:\n            break\n\n        depth += 1"),),
    ),
    "nuts_seams": Fault("nuts", "seams looked at only where the whole trajectory is joined", (("    goes_on = not turn_when_joined(\n        one[BEGIN, 0], one[END, 0], one[SUM_OF_TREE, 0], two[BEGIN, 0], two[END, 0], two[SUM_OF_TREE, 0]\n    )", "    goes_on = not turns(one[BEGIN, 0], two[END, 0], one[SUM_OF_TREE, 0], two[SUM_OF_TREE, 0])"),), SEAMS_DECIDE),
    "nuts_unchecked": Fault("nuts", "sub-trees may turn", (("    goes_on = not turn_when_joined(\n        one[BEGIN, 0], one[END, 0], one[SUM_OF_TREE, 0], two[BEGIN, 0], two[END, 0], two[SUM_OF_TREE, 0]\n    )", "    goes_on = True"),)),
    "nuts_one_way": Fault("nuts", "trajectories go forwards only", (("forwards = generator.random() < 0.5", "forwards = generator.random() < 2.0"),)),
    "nuts_last": Fault("nuts", "the last sub-tree always gives the state", (("goes = uniform < acceptance_probability(log_ratio)", "goes = True"),)),
    "mclmc_turn": Fault("mclmc", "turns away from the gradient", (("toward * gradient[chain, i]", "-toward * gradient[chain, i]"),)),
    "mclmc_dimension": Fault("mclmc", "d instead of d − 1", (("delta = duration * norm / (dim - 1)", "delta = duration * norm / dim"),)),
    "adjusted_volume": Fault("adjusted_mclmc", "change of volume left out of the ratio", (("kinetic_change[chain] += (dim - 1) *", "kinetic_change[chain] += 0.0 *"),)),
    "adjusted_direction": Fault("adjusted_mclmc", "direction drawn in a cube", (("    fill_standard_normal(generator, direction)\n", "    for chain in range(chains):\n        for i in range(direction.shape[1]):\n            direction[chain, i] = 2.0 * generator.random() - 1.0\n"),)),
    "adjusted_corners": Fault("adjusted_mclmc", "direction drawn from the corners of a cube", (("    fill_standard_normal(generator, direction)\n", "    for chain in range(chains):\n        for i in range(direction.shape[1]):\n            direction[chain, i] = 1.0 if generator.random() < 0.5 else -1.0\n"),)),
    "adjusted_kinetic": Fault("adjusted_mclmc", "nine tenths of the change of volume", (("kinetic_change[chain] += (dim - 1) *", "kinetic_change[chain] += 0.9 * (dim - 1) *"),)),
    "tempering_hot": Fault("parallel_tempering", "no correction in the hot replicas", (("            if generator.random() < acceptance:\n                value[k, chain] = prop", "            if k > 0 or generator.random() < acceptance:\n                value[k, chain] = prop"),), FEW_REPLICAS),
    "tempering_ratio": Fault("parallel_tempering", "0.8 ΔH in the hot replicas", (("energy_error = kinetic_energy(momentum[k, chain]) - beta[k] * proposal_value[k, chain] - energy[k, chain]", "energy_error = kinetic_energy(momentum[k, chain]) - beta[k] * proposal_value[k, chain] - energy[k, chain]\n            if k > 0:\n                energy_error *= 0.8"),), TWO_REPLICAS),
    "tempering_swap_ratio": Fault("parallel_tempering", "swap ratio to the power of 0.8", (("log_ratio = (beta[k] - beta[k + 1]) * (", "log_ratio = 0.8 * (beta[k] - beta[k + 1]) * ("),)),
    "tempering_swap": Fault("parallel_tempering", "swap ratio upside down", (("(beta[k] - beta[k + 1]) * (value[k + 1, chain] - value[k, chain])", "(beta[k] - beta[k + 1]) * (value[k, chain] - value[k + 1, chain])"),)),
    "tempering_always": Fault("parallel_tempering", "swaps always accepted", (("if k % 2 == parity and generator.random() < acceptance:", "if k % 2 == parity:"),)),
    "tempering_force": Fault("parallel_tempering", "gradients not swapped with their states", (("                    force[k, chain, i], force[k + 1, chain, i] = force[k + 1, chain, i], force[k, chain, i]\n", ""),)),
    "importance_weight": Fault("annealed_importance", "the last weight is left out", (("            log_weight[chain] += (beta[k - 1] - beta[k]) *", "            log_weight[chain] += (beta[k - 1] - beta[k] if k > 1 else 0.0) *"),)),
    "importance_half": Fault("annealed_importance", "the square root of the ratio of weights", (("        log_ratio = log_weight[chain] - old_log_weight[chain]", "        log_ratio = 0.5 * (log_weight[chain] - old_log_weight[chain])"),)),
    "importance_uncorrected": Fault("annealed_importance", "the steps between temperatures are never refused", (("            if generator.random() < acceptance_probability(log_ratio):\n                move(chain, y", "            if generator.random() < 2.0:\n                move(chain, y"),)),
    "importance_stale": Fault("annealed_importance", "the old weight is not kept", (("            old_log_weight[chain] = log_weight[chain]\n", ""),)),
    "annealed_schedule": Fault("annealed_langevin", "steps go with σ, not σ²", (("(sigma_at(data, level) / smallest) ** 2", "(sigma_at(data, level) / smallest)"),)),
    "annealed_noise": Fault("annealed_langevin", "√2 missing in the noise", (("np.sqrt(2.0 * size * temperature)", "np.sqrt(size * temperature)"),)),
    "reverse_noise": Fault("reverse_sde", "no noise", (("+ np.sqrt(variance) * generator.standard_normal()", ""),)),
    "flow_twice": Fault("probability_flow", "the drift of the SDE, without its noise", (("first_slope[j] = -sigma * score[j]", "first_slope[j] = -2.0 * sigma * score[j]"), ("-next_sigma * score[j]", "-2.0 * next_sigma * score[j]"))),
    "corrector_noise": Fault("predictor_corrector", "√2 missing in the corrector's noise", (("np.sqrt(2.0 * step_size)", "np.sqrt(step_size)"),)),
    "sgld_one_normal": Fault(
        "sgld", "one normal for all coordinates",
        (("    for j in range(x.shape[0]):\n        x[j] += step_size * score[j] + noise_scale * generator.standard_normal()", "    z = 0.0\n    for j in range(x.shape[0]):\n        if j % position.shape[1] == 0:\n            z = generator.standard_normal()\n        x[j] += step_size * score[j] + noise_scale * z"),),
    ),
    "sgld_rows": Fault("sgld", "the same rows in every step", (("data[3 + j] = np.floor(rows * generator.random())", "data[3 + j] = float(j)"),)),
    "sgld_noise": Fault("sgld", "√2 missing in the noise", (("np.sqrt(2.0 * step_size)", "np.sqrt(step_size)"),)),
}  # fmt: skip

#: Nothing replaced, with the shared kernels inside as they are in the faults above: what is planted, not the planting, is seen.
CONTROLS: dict[str, Fault] = {
    name: Fault(name.removesuffix("_two"), "none", ((piece, piece),), settings)
    for name, piece, settings in (
        ("mala", ACCEPT_MALA, ()), ("hmc", "p[j] += 0.5 * step_size * force[j]\n\n\n@jit_inline\ndef kinetic", ()),
        ("jittered_hmc", "    propose_by_random_length(\n", SHORT_STEPS),
        ("nuts", "numbers[ERROR, top] = -error, log_density, error", SEAMS_DECIDE), ("obabo", "(1.0 - decay * decay)", ()),
        ("mclmc", "toward * gradient[chain, i]", ()), ("reverse_sde", "+ np.sqrt(variance) * generator.standard_normal()", ()),
        ("parallel_tempering", "if k % 2 == parity and generator.random() < acceptance:", FEW_REPLICAS),
        ("parallel_tempering_two", "if k % 2 == parity and generator.random() < acceptance:", TWO_REPLICAS),
    )
}  # fmt: skip
