"""Hamiltonian Monte Carlo with a uniformly jittered trajectory.

    p ~ N(0, I);   T' ~ Uniform(T (1 − δ), T (1 + δ));   max(1, round(T'/h)) leapfrog steps;   accept with min(1, e^{−ΔH})

A fixed length resonates with some direction of the target; a random one cannot. The chains of a block share T', which
depends on none of them: each is exact, and none tells anything of another. No trajectory has more than 1000 steps. With δ = 1 and T by ChEES this is ChEES-HMC.
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.hamiltonian import LONGEST, leapfrog_flow, propose_by_random_length
from mcmc_bench.kernels.jit import jit


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, trajectory_length, jitter = settings
    length = trajectory_length * (1.0 + jitter * (2.0 * generator.random() - 1.0))
    propose_by_random_length(
        target,
        data,
        generator,
        step_size,
        np.floor(length / step_size + 0.5),
        position,
        log_density,
        gradient,
        statistics,
        scratch,
        evaluations,
    )


def mean_steps(settings):
    """Expected number of leapfrog steps, cut where the step cuts it, by the midpoints of 1000 equal parts of the jitter."""
    part = (np.arange(1000) + 0.5) / 1000
    length = settings["trajectory_length"] * (1.0 + settings["jitter"] * (2.0 * part - 1.0))
    return float(np.clip(np.floor(length / settings["step_size"] + 0.5), 1, LONGEST).mean())


SAMPLER = Sampler(
    kind="exact",
    description="HMC with trajectories of random length, so that no direction of the target resonates",
    source="Neal 2011, arXiv 1206.1901, section 4.2; Hoffman, Radul and Sountsov 2021, PMLR 130:3907",
    step=step,
    flow=leapfrog_flow,
    scratch=6,
    extra_statistics=lambda settings: ("n_steps",),
    settings={
        "step_size": Setting(0.1, "h, the leapfrog step", low=0.0, above=True),
        "trajectory_length": Setting(
            1.0, "T, mean of h times the number of steps; cut at 1000 steps", low=0.0, above=True
        ),
        "jitter": Setting(1.0, "δ: lengths are uniform between T (1 − δ) and T (1 + δ)", low=0.0, high=1.0),
    },
    evaluations_per_step=mean_steps,
    varying_cost=True,
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.8, trajectory="trajectory_length"),
)
