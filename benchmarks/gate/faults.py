"""Samplers with a planted fault: what the gate has to see, and what it rightly does not.

A fault is a built-in sampler's source with pieces of it replaced. Must not know how it is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcmc_bench.checks.kernel.mutants import plant

#: What a fault spoils. none: the kernel stays exact and loses less than the margin, or even gains.
CORRECTNESS, EFFICIENCY, NONE = "correctness", "efficiency", "none"


@dataclass(frozen=True)
class Fault:
    """A planted fault."""

    sampler: str
    what: str  # in words
    spoils: str
    replaced: tuple[tuple[str, str], ...]  # pieces of the source, and what stands in their place

    def write(self, folder: Path) -> Path:
        """The faulty sampler's file in `folder`; it has the name of the built-in one, which it hides."""
        return plant(self.sampler, self.replaced, folder)


ACCEPT = "if generator.random() < statistics[chain, ACCEPTANCE]:"
#: After the accepted move of MALA: the sign of the first coordinate is lost, so that nothing stays on its right side.
FOLD = """                gradient[j] = proposal_gradient[j]
        position[chain * dim] = -abs(position[chain * dim])
"""
EULER = '''

@jit
def euler(target, data, step_size, num_steps, position, momentum, log_density, gradient, evaluations):
    """Whole kicks and drifts: symplectic, but not its own inverse when the momentum is turned round."""
    chains, dim = position.shape
    for _ in range(num_steps):
        for chain in range(chains):
            for i in range(dim):
                momentum[chain, i] += step_size * gradient[chain, i]
                position[chain, i] += step_size * momentum[chain, i]
        evaluate(target, data, position, log_density, gradient, evaluations)

'''

FAULTS: dict[str, Fault] = {
    "mala_uncorrected": Fault(
        "mala", "MALA without its Metropolis correction", CORRECTNESS, ((ACCEPT, "if generator.random() >= 0.0:"),)
    ),
    "ula_noise": Fault(
        "ula",
        "ULA: √2 missing in the noise",
        CORRECTNESS,
        (("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),),
    ),
    "mala_noise": Fault(
        "mala",
        "MALA: √2 missing in the noise, and not in the ratio",
        CORRECTNESS,
        (("np.sqrt(2.0 * step_size * temperature)", "np.sqrt(step_size * temperature)"),),
    ),
    "ula_gradient": Fault(
        "ula",
        "ULA: gradient 5 % too large",
        CORRECTNESS,
        (("step_size * gradient[chain, i]", "step_size * 1.05 * gradient[chain, i]"),),
    ),
    "hmc_euler": Fault(
        "hmc",
        "HMC with an integrator that is not reversible",
        CORRECTNESS,
        (
            ("    leapfrog(\n", "    euler(\n"),
            (
                "    copy,\n    fill_standard_normal,\n    flat,\n",
                "    copy,\n    evaluate,\n    fill_standard_normal,\n    flat,\n",
            ),
            ("\n\n@jit\ndef propose_by_leapfrog(", EULER + "\n@jit\ndef propose_by_leapfrog("),
        ),
    ),
    "mala_ratio_sign": Fault(
        "mala",
        "MALA: wrong sign in the ratio of the proposals",
        CORRECTNESS,
        (("(forward - backward)", "(backward - forward)"),),
    ),
    "mala_one_side": Fault(
        "mala",
        "MALA: a sign is lost, one of two modes is never visited",
        CORRECTNESS,
        (("                gradient[j] = proposal_gradient[j]\n", FOLD),),
    ),
    "mala_stale_gradient": Fault(
        "mala",
        "MALA: the gradient is not updated when a proposal is accepted",
        CORRECTNESS,
        (("gradient[j] = proposal_gradient[j]", "gradient[j] = gradient[j]"),),
    ),
    "hmc_momentum": Fault(
        "hmc",
        "HMC: momentum too small by √2",
        CORRECTNESS,
        (
            (
                "fill_standard_normal(generator, momentum)\n",
                "fill_standard_normal(generator, momentum)\n    momentum *= np.sqrt(0.5)\n",
            ),
        ),
    ),
    "hmc_kinetic": Fault(
        "hmc",
        "HMC: the kinetic energy is left out of the acceptance",
        CORRECTNESS,
        (
            (
                "energy_error = final - initial",
                "energy_error = log_density[chain] - proposal_log_density[chain] + 0.0 * (final - initial)",
            ),
        ),
    ),
    "walk_drift": Fault(
        "random_walk_metropolis",
        "Random walk: proposals drift by a tenth, and the ratio does not know",
        CORRECTNESS,
        (("step_size * generator.standard_normal()", "step_size * (generator.standard_normal() + 0.1)"),),
    ),
    "walk_ratio": Fault(
        "random_walk_metropolis",
        "Random walk: log ratio 10 % too small",
        CORRECTNESS,
        (
            (
                "log_ratio = proposal_log_density[chain] - log_density[chain]",
                "log_ratio = 0.9 * (proposal_log_density[chain] - log_density[chain])",
            ),
        ),
    ),
    "mala_step": Fault(
        "mala",
        "MALA: step size 1.5 times too large",
        NONE,
        (("step_size, temperature = settings", "step_size, temperature = 1.5 * settings[0], settings[1]"),),
    ),
    "mala_small_step": Fault(
        "mala",
        "MALA: step size 1.5 times too small",
        EFFICIENCY,
        (("step_size, temperature = settings", "step_size, temperature = settings[0] / 1.5, settings[1]"),),
    ),
    "hmc_step": Fault(
        "hmc",
        "HMC: step size 1.5 times too large",
        EFFICIENCY,
        (
            (
                "step_size, num_integration_steps = settings",
                "step_size, num_integration_steps = 1.5 * settings[0], settings[1]",
            ),
        ),
    ),
    "walk_step": Fault(
        "random_walk_metropolis",
        "Random walk: step size 1.5 times too small",
        EFFICIENCY,
        (("(step_size,) = settings", "step_size = settings[0] / 1.5"),),
    ),
    "mala_gradient": Fault(
        "mala",
        "MALA: gradient 5 % too large, in proposal and ratio alike",
        NONE,
        (
            ("step_size * gradient[j]", "step_size * 1.05 * gradient[j]"),
            ("step_size * proposal_gradient[j]", "step_size * 1.05 * proposal_gradient[j]"),
        ),
    ),
    "mala_half_gradient": Fault(
        "mala",
        "MALA: gradient half as large, in proposal and ratio alike",
        EFFICIENCY,
        (
            ("step_size * gradient[j]", "step_size * 0.5 * gradient[j]"),
            ("step_size * proposal_gradient[j]", "step_size * 0.5 * proposal_gradient[j]"),
        ),
    ),
}
