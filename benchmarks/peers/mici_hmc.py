"""mici's static HMC with dual averaging of its step size, chain by chain. Needs mici."""

import numpy as np

from mcmc_bench.core.sampler import Sampler, Setting


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim); what the adaptation costs is in the count."""
    import mici

    def negative(x):
        return -float(target.log_density_and_gradient(x[None])[0][0])

    def negative_gradient(x):
        value, gradient = target.log_density_and_gradient(x[None])
        return -gradient[0], -float(value[0])

    system = mici.systems.EuclideanMetricSystem(neg_log_dens=negative, grad_neg_log_dens=negative_gradient)
    integrator = mici.integrators.LeapfrogIntegrator(system)
    sampler = mici.samplers.StaticMetropolisHMC(
        system,
        integrator,
        np.random.default_rng(int(generator.integers(2**31))),
        n_step=int(settings["num_integration_steps"]),
    )
    states, _, _ = sampler.sample_chains(
        int(settings["tuning_transitions"]),
        1,
        list(start),
        adapters=[mici.adapters.DualAveragingStepSizeAdapter()],
        display_progress=False,
    )
    target.ends("tuning")
    _, traces, _ = sampler.sample_chains(
        0,
        draws,
        states,
        adapters=[],
        trace_funcs=[lambda state: {"x": state.pos.copy()}],
        display_progress=False,
    )
    return np.stack([np.asarray(chain) for chain in traces["x"]], axis=1)


SAMPLER = Sampler(
    kind="exact",
    description="mici: HMC with a fixed number of steps and a tuned step size",
    source="Graham 2019, the mici package, doi 10.5281/zenodo.3517301",
    draw=draw,
    evaluations_per_step=lambda settings: int(settings["num_integration_steps"]),
    varying_cost=True,
    settings={
        "num_integration_steps": Setting(10, "L, leapfrog steps in a transition", low=1, integer=True),
        "tuning_transitions": Setting(300, "transitions of the adaptation", low=50, integer=True),
    },
)
