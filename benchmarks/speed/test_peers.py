"""Against the samplers of other libraries, on densities written for them: per gradient, and per second.

Each needs its library (the extra `peers`); what is not installed is said. Per gradient, at equal step size and metric, the
algorithms are compared; per second, with each library's own tuning, what a user waits for once everything is compiled.
"""

import os
import time

# Read when JAX is imported: one device for each core, as NumPyro's parallel chains want them.
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={os.cpu_count()} " + os.environ.get("XLA_FLAGS", "")

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.sampling.replicate import Budget, Plan, run
from mcmc_bench.sampling.tuning.schedule import Tuning

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs
THREADS = min(2, os.cpu_count() or 1)
ROUNDS = 3
TUNING_TRANSITIONS, DRAWS, CHAINS = 1000, 1000, 4  # of theirs


def needs(library):
    return pytest.importorskip(library, reason=f"NOT MEASURED: {library}; install the extra: pip install '.[peers]'")


@pytest.fixture(scope="module")
def jax():
    module = needs("jax")
    module.config.update("jax_enable_x64", True)
    return module


def effective(x):
    """Bulk ESS of each coordinate (dim,) of positions (chain, draw, dim), and of its squares."""
    from arviz_stats.base import array_stats

    return np.array([[array_stats.ess(y[:, :, i]) for i in range(y.shape[2])] for y in (x, x**2)])


# ---- for each gradient ----


@pytest.mark.parametrize("step_size", [0.15, 0.3])
def test_nuts_for_each_gradient(jax, note, step_size):
    """NUTS on a Gaussian, the same step size, metric and exact starts, 64 × 2000 transitions of each: about 1 % noise."""
    blackjax, chains, draws = needs("blackjax"), 64, 2000
    target = load_target("gaussian", dim=20, condition=20.0)
    start = target.draw_exact(stream("NUTS for each gradient"), chains)
    ours = run(
        target,
        load_sampler("nuts"),
        {"step_size": step_size},
        Plan(0, draws),
        chains=chains,
        start=start,
        names=("NUTS for each gradient", step_size),
        threads=THREADS,
    )
    precision = jax.numpy.array(target.data.reshape(20, 20))
    kernel = blackjax.nuts(lambda x: -0.5 * x @ precision @ x, step_size, jax.numpy.ones(20))

    def one_chain(key, position):
        def step(state, key):
            state, information = kernel.step(key, state)
            return state, (state.position, information.num_integration_steps)

        return jax.lax.scan(step, kernel.init(position), jax.random.split(key, draws))[1]

    keys = jax.random.split(jax.random.key(1), chains)
    theirs, steps = jax.jit(jax.vmap(one_chain))(keys, jax.numpy.array(start))
    sides = (ours.position, ours.extra_statistics["n_steps"].sum()), (np.asarray(theirs), float(steps.sum()))
    for power, what in enumerate(("x", "x²")):
        costs = [gradients / effective(x)[power].mean() for x, gradients in sides]
        note(
            case=f"NUTS on gaussian(dim=20, condition=20), h = {step_size}, for {what}",
            unit="gradients per effective draw",
            against="BlackJAX",
            ours=costs[0],
            other=costs[1],
            ratio=costs[0] / costs[1],
            asked=1.1,
        )


# ---- for each second ----


class Logistic:
    """breast_cancer_logistic, also as a log density that JAX can differentiate."""

    def __init__(self, jax):
        self.jax, self.target = jax, load_target("breast_cancer_logistic")
        self.rows = jax.numpy.array(self.target.data.reshape(-1, self.target.dim))
        x = self.target.starts("dispersed", np.random.default_rng(1), 2)
        ours = self.target.log_density_and_gradient(x)[0]
        assert self.log_density(x[0]) - self.log_density(x[1]) == pytest.approx(ours[0] - ours[1])

    def log_density(self, x):
        return self.jax.nn.log_sigmoid(self.rows @ x).sum() - 0.5 * (x**2).sum()


def blackjax_nuts(model, dense):
    """Window adaptation and NUTS, chains side by side: a function ``(seed, start) -> positions (chain, draw, dim)``."""
    blackjax, jax = needs("blackjax"), model.jax

    def one_chain(key, position):
        first, second = jax.random.split(key)
        adaptation = blackjax.window_adaptation(blackjax.nuts, model.log_density, is_mass_matrix_diagonal=not dense)
        (state, parameters), _ = adaptation.run(first, position, num_steps=TUNING_TRANSITIONS)
        kernel = blackjax.nuts(model.log_density, **parameters)

        def step(state, key):
            state, _ = kernel.step(key, state)
            return state, state.position

        return jax.lax.scan(step, state, jax.random.split(second, DRAWS))[1]

    every = jax.jit(jax.vmap(one_chain))
    return lambda seed, start: np.asarray(every(jax.random.split(jax.random.key(seed), CHAINS), start))


def numpyro_nuts(model, dense):
    """One device for each core."""
    needs("numpyro")
    from numpyro.infer import MCMC, NUTS

    jax = model.jax
    sampler = MCMC(
        NUTS(potential_fn=lambda x: -model.log_density(x), dense_mass=dense),
        num_warmup=TUNING_TRANSITIONS,
        num_samples=DRAWS,
        num_chains=CHAINS,
        chain_method="parallel",
        progress_bar=False,
    )

    def go(seed, start):
        sampler.run(jax.random.key(seed), init_params=jax.numpy.array(start))
        return np.asarray(sampler.get_samples(group_by_chain=True))

    return go


def nutpie_nuts(model, dense):
    """Its own threads; it is given our compiled gradient, which is faster than what it would compile itself."""
    nutpie, target = needs("nutpie"), model.target
    pointer, data, dim = target.pointer, target.data, target.dim

    def make_log_density():
        value, gradient = np.empty(1), np.empty((1, dim))

        def evaluate(x):
            pointer(np.array(x, dtype=np.float64)[None], value, gradient, data)
            return float(value[0]), gradient[0].copy()

        return evaluate

    compiled = nutpie.compiled_pyfunc.from_pyfunc(
        ndim=dim,
        make_logp_fn=make_log_density,
        make_expand_fn=lambda *_: lambda x: {"x": np.array(x)},
        expanded_dtypes=[np.dtype("float64")],
        expanded_shapes=[(dim,)],
        expanded_names=["x"],
    )
    how = {"draws": DRAWS, "tune": TUNING_TRANSITIONS, "chains": CHAINS, "progress_bar": False}
    how["low_rank_modified_mass_matrix"] = dense  # what it has instead of a dense one

    def go(seed, start):  # noqa: ARG001 - it begins where it likes
        return nutpie.sample(compiled, seed=seed, **how).posterior["x"].values

    return go


PEERS = {"BlackJAX NUTS, vmap": blackjax_nuts, "NumPyro NUTS, parallel": numpyro_nuts, "nutpie": nutpie_nuts}

#: Ours: metric, chains, target evaluations of each chain for tuning and for draws.
OURS = {
    ("nuts", "diagonal"): (4, 9_000, 60_000),
    ("nuts", "dense"): (4, 9_000, 35_000),
    ("hmc", "dense"): (32, 4_000, 8_000),
}


@pytest.mark.parametrize(("name", "metric"), OURS)
def test_effective_draws_of_the_logistic_regression(jax, note, name, metric):
    """Least bulk ESS of x per second, tuning included on both sides, compilation on neither; medians of three runs."""
    chains, tuning, evaluations = OURS[name, metric]
    model, sampler = Logistic(jax), load_sampler(name)
    target = model.target
    peers = {label: make(model, metric == "dense") for label, make in PEERS.items()}

    def ours(seed):
        draws = run(
            target,
            sampler,
            {"num_integration_steps": 10} if name == "hmc" else {},
            Budget(evaluations, 0.0, 4000),
            chains=chains,
            start="dispersed",
            names=("effective draws", name, metric, seed),
            threads=THREADS,
            tuning=Tuning(tuning, metric),
        )
        return draws.position

    def of_peer(go):
        return lambda seed: go(seed, target.starts("dispersed", stream("effective draws", seed), CHAINS))

    sides = {"ours": ours, **{label: of_peer(go) for label, go in peers.items()}}
    rates = {label: [] for label in sides}
    for seed in range(ROUNDS + 1):
        for label, side in sides.items():
            before = time.perf_counter()
            x = side(seed)
            seconds = time.perf_counter() - before
            if seed:  # the first one compiles
                rates[label].append(effective(x)[0].min() / seconds)
    for label in peers:
        ratios = np.array(rates[label]) / np.array(rates["ours"])
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        note(
            case=f"breast_cancer_logistic: {name}, metrics {metric}, {chains} chains, {THREADS} threads",
            unit="ms per least effective draw",
            against=label,
            ours=1e3 / np.median(rates["ours"]),
            other=1e3 / np.median(rates[label]),
            ratio=middle,
            low=low,
            high=high,
            asked=1 / 3,
        )


def test_dense_hmc(jax, compare):
    """As in test_gaussian, with the gradient −P x written down for BlackJAX."""
    blackjax = needs("blackjax")
    target, chains, transitions = load_target("gaussian", dim=100, condition=100.0), 16, 500
    settings = {"step_size": 0.1, "num_integration_steps": 20}
    start = target.starts("exact", np.random.default_rng(1), chains)
    precision, position = jax.numpy.array(target.data.reshape(100, 100)), jax.numpy.array(start)

    @jax.custom_vjp
    def log_density(x):
        return -0.5 * x @ (precision @ x)

    def forward(x):
        slope = -(precision @ x)
        return 0.5 * x @ slope, slope

    log_density.defvjp(forward, lambda slope, cotangent: (cotangent * slope,))
    kernel = blackjax.hmc(log_density, settings["step_size"], jax.numpy.ones(100), settings["num_integration_steps"])

    @jax.jit
    def every(key, position):
        def step(states, key):
            states, _ = jax.vmap(kernel.step)(jax.random.split(key, chains), states)
            return states, None

        return jax.lax.scan(step, jax.vmap(kernel.init)(position), jax.random.split(key, transitions))[0].position

    def ours():
        plan = Plan(0, transitions, keep=False)
        run(target, load_sampler("hmc"), settings, plan, chains=chains, start=start, names=(1,))

    compare(
        "HMC, 20 leapfrogs, on gaussian(dim=100), 16 chains, one thread",
        "µs per transition and chain",
        1e6 / (chains * transitions),
        ours,
        {"BlackJAX, gradient written down": lambda: jax.block_until_ready(every(jax.random.key(1), position))},
        {"BlackJAX, gradient written down": 0.5},
    )


def test_mixture_mala(jax, compare):
    """As in test_mixture."""
    blackjax = needs("blackjax")
    ring, chains, steps, step_size = load_target("ring_of_8"), 64, 20_000, 0.5
    start = ring.starts("exact", np.random.default_rng(1), chains)
    means, position = jax.numpy.array(ring.modes.locations), jax.numpy.array(start)
    kernel = blackjax.mala(lambda x: jax.nn.logsumexp(-0.5 * ((x - means) ** 2).sum(axis=1)), step_size)

    @jax.jit
    def every(key, position):
        def step(states, key):
            states, _ = jax.vmap(kernel.step)(jax.random.split(key, chains), states)
            return states, None

        return jax.lax.scan(step, jax.vmap(kernel.init)(position), jax.random.split(key, steps))[0].position

    def ours():
        plan = Plan(0, steps, keep=False)
        run(ring, load_sampler("mala"), {"step_size": step_size}, plan, chains=chains, start=start, names=(1,))

    compare(
        "MALA on ring_of_8, 64 chains, one thread",
        "ns per step and chain",
        1e9 / (chains * steps),
        ours,
        {"BlackJAX, scan of vmap": lambda: jax.block_until_ready(every(jax.random.key(1), position))},
        {"BlackJAX, scan of vmap": None},
    )
