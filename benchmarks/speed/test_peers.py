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

from mcmc_bench.catalog import load_sampler, load_target
from mcmc_bench.sampling import Budget, Plan, run
from mcmc_bench.streams import stream
from mcmc_bench.tuning import Tuning

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs
THREADS = min(2, os.cpu_count() or 1)
ROUNDS = 5
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
        target, load_sampler("nuts"), {"step_size": step_size}, Plan(0, draws), chains=chains, start=start,
        names=("NUTS for each gradient", step_size), threads=THREADS,
    )  # fmt: skip
    precision = jax.numpy.array(target.data.reshape(20, 20))
    kernel = blackjax.nuts(lambda x: -0.5 * x @ precision @ x, step_size, jax.numpy.ones(20))

    def one_chain(key, position):
        def step(state, key):
            state, information = kernel.step(key, state)
            return state, (state.position, information.num_integration_steps)

        return jax.lax.scan(step, kernel.init(position), jax.random.split(key, draws))[1]

    keys = jax.random.split(jax.random.key(1), chains)
    theirs, steps = jax.jit(jax.vmap(one_chain))(keys, jax.numpy.array(start))
    sides = (ours.position, ours.records["n_steps"].sum()), (np.asarray(theirs), float(steps.sum()))
    for power, what in enumerate(("x", "x²")):
        costs = [gradients / effective(x)[power].mean() for x, gradients in sides]
        note(
            case=f"NUTS on gaussian(dim=20, condition=20), h = {step_size}, for {what}",
            unit="gradients per effective draw", against="BlackJAX", ours=costs[0], other=costs[1],
            ratio=costs[0] / costs[1], asked=1.1,
        )  # fmt: skip


# ---- for each second ----


def logistic_in_jax(jax):
    """The log density of breast_cancer_logistic, for JAX to differentiate."""
    target = load_target("breast_cancer_logistic")
    rows = jax.numpy.array(target.data.reshape(-1, target.dim))

    def log_density(x):
        return jax.nn.log_sigmoid(rows @ x).sum() - 0.5 * (x**2).sum()

    x = target.starts("dispersed", np.random.default_rng(1), 2)
    difference = log_density(x[0]) - log_density(x[1])
    assert difference == pytest.approx(-np.subtract.reduce(target.log_density_and_gradient(x)[0][::-1]))
    return target, log_density


def blackjax_nuts(jax, log_density, dim):
    """A function ``(seed, start) -> positions (chain, draw, dim)``: window adaptation and NUTS, chains side by side."""
    blackjax = needs("blackjax")

    def one_chain(key, position):
        first, second = jax.random.split(key)
        adaptation = blackjax.window_adaptation(blackjax.nuts, log_density)
        (state, parameters), _ = adaptation.run(first, position, num_steps=TUNING_TRANSITIONS)
        kernel = blackjax.nuts(log_density, **parameters)

        def step(state, key):
            state, _ = kernel.step(key, state)
            return state, state.position

        return jax.lax.scan(step, state, jax.random.split(second, DRAWS))[1]

    every = jax.jit(jax.vmap(one_chain))
    return lambda seed, start: np.asarray(every(jax.random.split(jax.random.key(seed), CHAINS), start))


def numpyro_nuts(jax, log_density, dim):
    needs("numpyro")
    from numpyro.infer import MCMC, NUTS

    sampler = MCMC(
        NUTS(potential_fn=lambda x: -log_density(x)), num_warmup=TUNING_TRANSITIONS, num_samples=DRAWS, num_chains=CHAINS,
        chain_method="parallel", progress_bar=False,
    )  # fmt: skip

    def go(seed, start):
        sampler.run(jax.random.key(seed), init_params=jax.numpy.array(start))
        return np.asarray(sampler.get_samples(group_by_chain=True))

    return go


def nutpie_nuts(jax, log_density, dim):
    """Its own threads, on our compiled density through a callback that numba has compiled for it would be PyMC's graph;
    without PyMC, on JAX's."""
    nutpie = needs("nutpie")
    gradient = jax.jit(jax.value_and_grad(log_density))

    def make_log_density():
        def evaluate(x):
            value, slope = gradient(x)
            return float(value), np.asarray(slope, dtype=np.float64)

        return evaluate

    model = nutpie.compiled_pyfunc.from_pyfunc(
        ndim=dim, make_logp_fn=make_log_density, make_expand_fn=lambda *_: lambda x: {"x": np.asarray(x)},
        expanded_dtypes=[np.dtype("float64")], expanded_shapes=[(dim,)], expanded_names=["x"],
    )  # fmt: skip

    def go(seed, start):
        trace = nutpie.sample(
            model, draws=DRAWS, tune=TUNING_TRANSITIONS, chains=CHAINS, seed=seed, progress_bar=False
        )  # fmt: skip
        return trace.posterior["x"].values

    return go


#: Ours: sampler, chains, target evaluations of each chain for tuning and for draws.
OURS = {
    "nuts": (4, 9_000, 35_000),
    "jittered_hmc": (32, 4_000, 8_000),
    "hmc": (32, 4_000, 8_000),
}


@pytest.mark.parametrize("name", OURS)
def test_effective_draws_of_the_logistic_regression(jax, note, name):
    """Least bulk ESS of x per second, tuning included on both sides, compilation on neither; medians of five runs."""
    chains, tuning, evaluations = OURS[name]
    target, log_density = logistic_in_jax(jax)
    sampler = load_sampler(name)
    others = {
        "BlackJAX NUTS, vmap": blackjax_nuts, "NumPyro NUTS, parallel": numpyro_nuts, "nutpie, JAX called back": nutpie_nuts,
    }  # fmt: skip
    made = {label: make(jax, log_density, target.dim) for label, make in others.items()}

    def ours(seed):
        draws = run(
            target, sampler, {"num_integration_steps": 10} if name == "hmc" else {}, Budget(evaluations, 0.0, 4000),
            chains=chains, start="dispersed", names=("effective draws", name, seed), threads=THREADS,
            tuning=Tuning(tuning, "dense"),
        )  # fmt: skip
        return draws.position

    def theirs(go, seed):
        return go(seed, target.starts("dispersed", stream("effective draws", seed), CHAINS))

    rates = {"ours": [], **{label: [] for label in made}}
    for seed in range(ROUNDS + 1):
        for label in rates:
            before = time.perf_counter()
            x = ours(seed) if label == "ours" else theirs(made[label], seed)
            seconds = time.perf_counter() - before
            if seed:  # the first one compiles
                rates[label].append(effective(x)[0].min() / seconds)
    for label, go in made.items():
        ratios = np.array(rates[label]) / np.array(rates["ours"])
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        note(
            case=f"breast_cancer_logistic: {name} with a dense metric, {chains} chains, {THREADS} threads",
            unit="ms per least effective draw", against=label, ours=1e3 / np.median(rates["ours"]),
            other=1e3 / np.median(rates[label]), ratio=middle, low=low, high=high, asked=1 / 3,
        )  # fmt: skip


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
        "HMC, 20 leapfrogs, on gaussian(dim=100), 16 chains, one thread", "µs per transition and chain",
        1e6 / (chains * transitions), ours,
        {"BlackJAX, gradient written down": lambda: jax.block_until_ready(every(jax.random.key(1), position))},
        {"BlackJAX, gradient written down": 0.5},
    )  # fmt: skip


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
        "MALA on ring_of_8, 64 chains, one thread", "ns per step and chain", 1e9 / (chains * steps), ours,
        {"BlackJAX, scan of vmap": lambda: jax.block_until_ready(every(jax.random.key(1), position))},
        {"BlackJAX, scan of vmap": None},
    )  # fmt: skip
