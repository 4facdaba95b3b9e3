"""nutpie's NUTS with its adaptation of the mass matrix from gradients, chain by chain. Needs nutpie."""

import numpy as np

from mcmc_bench.core.sampler import Sampler, Setting


def draw(target, generator, start, draws, settings):
    """Positions (draws, chain, dim); what the adaptation costs is in the count."""
    import nutpie

    dim = target.dim

    def make_log_density():
        def log_density(x):
            value, gradient = target.log_density_and_gradient(np.array(x, dtype=np.float64)[None])
            return float(value[0]), np.ascontiguousarray(gradient[0])

        return log_density

    tuning = int(settings["tuning_transitions"])

    def make_expand(*_):
        done = 0

        def expand(x):
            nonlocal done
            done += 1  # once for each transition, the first ones tune
            if done == tuning:
                target.ends("tuning")
            return {"x": np.asarray(x, dtype=np.float64)}

        return expand

    positions = []
    for chain in range(len(start)):
        model = nutpie.compiled_pyfunc.from_pyfunc(
            ndim=dim,
            make_logp_fn=make_log_density,
            make_expand_fn=make_expand,
            make_initial_point_fn=lambda seed, chain=chain: start[chain].copy(),
            expanded_dtypes=[np.dtype("float64")],
            expanded_shapes=[(dim,)],
            expanded_names=["x"],
        )
        trace = nutpie.sample(
            model,
            draws=draws,
            tune=tuning,
            chains=1,
            cores=1,
            seed=int(generator.integers(2**31)),
            progress_bar=False,
        )
        target.ends("sampling")
        positions.append(np.asarray(trace.posterior["x"].values)[0])
    return np.stack(positions, axis=1)


SAMPLER = Sampler(
    kind="exact",
    description="nutpie: NUTS with a mass matrix learned from draws and gradients",
    source="the nutpie package, by Adrian Seyboldt and contributors",
    draw=draw,
    evaluations_per_step=lambda settings: 10,
    varying_cost=True,
    settings={"tuning_transitions": Setting(300, "transitions of the adaptation", low=50, integer=True)},
)
