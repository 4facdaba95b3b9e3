"""What every sampler must keep, written once; a new file in `samplers/` is tested without a line added here."""

import numpy as np
import pytest
from statistical import WrongMean, check_mean

from mcmc_bench.catalog.files import list_samplers, load_sampler, load_target
from mcmc_bench.core.target import PartOfData, Target, block_density, point_density
from mcmc_bench.sampling.chains import Chains, Setup
from mcmc_bench.sampling.replicate import Plan, run

SAMPLERS = list_samplers()
#: A biased kernel moves its target; by how much is tested in test_closed_forms.
EXACT = [name for name in SAMPLERS if load_sampler(name).kind in ("exact", "oracle")]
KERNELS = [name for name in SAMPLERS if load_sampler(name).step is not None]


@block_density
def _counting(x, log_density, gradient, data):
    """A standard Gaussian that counts the points it is asked for in the last entry of `data`."""
    data[data.shape[0] - 1] += x.shape[0]
    for chain in range(x.shape[0]):
        total = 0.0
        for i in range(x.shape[1]):
            total += x[chain, i] ** 2
            gradient[chain, i] = -x[chain, i]
        log_density[chain] = -0.5 * total


def counting_target():
    return Target(
        dim=2,
        density=_counting,
        data=np.zeros(1),
        draw_dispersed=lambda generator, n: generator.standard_normal((n, 2)),
        one_point=np.zeros(2),
        smoothed=lambda sigma: np.zeros(1),
        part_of_data=PartOfData(_counting, rows=10),
        name="counting",
    )


def suitable(sampler, name, **parameters):
    """The target of this name, or one that has what the sampler needs."""
    for target in (load_target(name, **parameters), load_target("song_ermon"), load_target("breast_cancer_logistic")):
        if not sampler.incompatibility(target):
            return target
    raise AssertionError(f"no target for {sampler.name}")


@pytest.fixture(params=SAMPLERS)
def sampler(request):
    return load_sampler(request.param)


def test_declares_what_it_is(sampler):
    assert sampler.kind in ("exact", "biased", "optimiser", "oracle")
    assert sampler.description
    assert sampler.source
    assert (sampler.step is None) != (sampler.draw is None)
    for name, setting in sampler.settings.items():
        assert setting.description, name
        assert setting.low <= setting.default <= setting.high


@pytest.mark.parametrize("name", EXACT)
def test_keeps_its_target(name):
    """Started from exact draws, an exact kernel does not move the distribution: E x, E x², E log p after 30 steps."""
    sampler = load_sampler(name)
    for target in (load_target("banana"), load_target("gaussian", dim=5, condition=3.0)):
        draws = run(target, sampler, {}, Plan(0, 30), chains=4096, start="exact", names=("keeps", sampler.name))
        last = draws.position[:, -1]
        check_mean(last, target.truth.mean, f"E x of {sampler.name} on {target.label}")
        check_mean(last**2, target.truth.second_moment, f"E x² of {sampler.name} on {target.label}")
        check_mean(draws.log_density[:, -1], target.truth.mean_log_density, f"E log p of {sampler.name}")


@pytest.mark.parametrize("name", KERNELS)
def test_counts_every_evaluation(name):
    """The ledger equals what the target itself has counted."""
    target, sampler = counting_target(), load_sampler(name)
    settings, chains = sampler.with_defaults({}), 20
    schedule = np.empty(0) if sampler.schedule is None else np.asarray(sampler.schedule(settings), dtype=float)
    start = target.starts("dispersed", np.random.default_rng(0), chains)
    moving = Chains(Setup(target, sampler, settings, schedule=schedule), start, ("count",))
    at_start = target.data[-1] / chains  # with the target's own density
    own = [moving.blocks[0].data] if sampler.share_of_data is None else [block.data for block in moving.blocks]
    copied = sum(data[-1] for data in own)  # what the target had counted when its data were prepared
    moving.advance(20)
    if sampler.prepare is None:
        called = target.data[-1] / chains - at_start
    elif sampler.requires == ("a smoothed density",):  # every noise level has an entry of its own
        called = sum(data[2 + len(schedule) :].sum() for data in own) / chains
    else:
        called = (sum(data[-1] for data in own) - copied) / chains
    assert moving.spent.mean() == pytest.approx(at_start + called * sampler.evaluation_share(settings), rel=1e-12)
    if not sampler.varying_cost:
        declared = sampler.evaluations_per_step(settings)
        counted = called * sampler.evaluation_share(settings) / 20
        assert counted == pytest.approx(declared), (
            f"a step of {sampler.name} evaluates {counted:g} times, not {declared:g}: declare evaluations_per_step"
        )
        # One evaluation at the start, and what the sampler's own memory begins with.
        assert at_start == 1 if sampler.init_memory is None else 1 <= at_start <= 1 + declared


def test_is_the_same_on_any_number_of_threads(sampler):
    target = suitable(sampler, "song_ermon")
    runs = [
        run(target, sampler, {}, Plan(5, 40), chains=50, start="dispersed", names=("threads",), threads=threads)
        for threads in (1, 2, 4)
    ]
    for other in runs[1:]:
        for name in ("position", "log_density", "energy_error", "mean", "mean_square", "stopped_at"):
            np.testing.assert_array_equal(getattr(runs[0], name), getattr(other, name), err_msg=name)


def test_is_re_entrant(sampler, monkeypatch):
    """Where the driver cuts the run into chunks does not change a number."""
    target = suitable(sampler, "banana")

    def go():
        return run(target, sampler, {}, Plan(11, 50, thin=3), chains=5, start="dispersed", names=("chunks",))

    whole = go()
    monkeypatch.setattr("mcmc_bench.sampling.blocks.CHUNK_EVALUATIONS", 1)
    np.testing.assert_array_equal(whole.position, go().position)
    np.testing.assert_array_equal(whole.mean_square, go().mean_square)


def test_more_chains_shift_none(sampler):
    target = suitable(sampler, "gaussian", dim=2)
    start = np.ones((48, target.dim))

    def go(chains):
        return run(target, sampler, {}, Plan(0, 20), chains=chains, start=start[:chains], names=("more",)).position

    np.testing.assert_array_equal(go(16), go(48)[:16])


def test_state_is_consistent(sampler):
    """The log density that comes with a draw is the log density of that draw."""
    target = suitable(sampler, "banana")
    draws = run(target, sampler, {}, Plan(0, 50), chains=3, start="dispersed", names=("state",))
    again = target.log_density_and_gradient(draws.position.reshape(-1, target.dim))[0]
    np.testing.assert_allclose(draws.log_density.ravel(), again, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(draws.position[:, -1], draws.end)


def test_does_not_change_its_start(sampler):
    target = suitable(sampler, "gaussian", dim=2)
    start = np.ones((3, target.dim))
    run(target, sampler, {}, Plan(0, 5), chains=3, start=start, names=("start",))
    np.testing.assert_array_equal(start, 1.0)


@point_density
def _wall(x, gradient, data):
    """A Gaussian so narrow that every step of a usual size is a fall."""
    gradient[0], gradient[1] = -1e8 * x[0], -1e8 * x[1]
    return -0.5e8 * (x[0] ** 2 + x[1] ** 2)


@pytest.mark.parametrize("name", [name for name in KERNELS if load_sampler(name).metropolised])
def test_diverging_means_one_thing(name):
    """An energy error above 1000 or not a number, in every sampler; in trees, of any of their points."""
    sampler = load_sampler(name)
    target = Target(
        dim=2,
        density=_wall,
        draw_dispersed=lambda generator, n: generator.standard_normal((n, 2)),
        one_point=np.ones(2),
        name="wall",
    )
    draws = run(target, sampler, {}, Plan(0, 20), chains=8, start="dispersed", names=("wall",))
    assert draws.diverging.any()
    if name == "nuts":  # the error is that of the point that is chosen, which never is the diverging one
        assert (draws.energy_error < 1000.0).all()
    else:
        np.testing.assert_array_equal(draws.diverging, ~(draws.energy_error < 1000.0))


def test_a_refusal_without_noise_is_no_divergence():
    """At τ = 0 MALA refuses what lowers the density, however little."""
    draws = run(
        load_target("banana"),
        load_sampler("mala"),
        {"temperature": 0.0, "step_size": 0.8},
        Plan(0, 50),
        chains=16,
        start="dispersed",
        names=("cold",),
    )
    refused = (draws.acceptance_rate == 0.0) & (draws.energy_error < 1000.0)
    assert refused.any()
    assert not draws.diverging[refused].any()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("randomised_hmc", {"mean_integration_steps": 700.0, "step_size": 0.01}),
        ("jittered_hmc", {"trajectory_length": 7.0, "step_size": 0.01}),
    ],
)
def test_the_cut_of_long_trajectories_is_declared(name, settings):
    """No more than 1000 steps, and the mean that is declared knows it: 532 of 700, and 644; lengths are independent."""
    sampler = load_sampler(name)
    draws = run(
        load_target("gaussian", dim=1), sampler, settings, Plan(0, 4000), chains=1, start="exact", names=("cut",)
    )
    steps = draws.extra_statistics["n_steps"][0]
    assert steps.max() == 1000
    declared = sampler.evaluations_per_step(sampler.with_defaults(settings))
    assert declared < 0.95 * 700
    check_mean(steps, declared, f"steps of {name}")
    with pytest.raises(WrongMean):
        check_mean(steps, 700.0, "the mean without the cut")


@pytest.mark.parametrize("name", KERNELS)
def test_works_in_one_dimension(name):
    target, sampler = load_target("gaussian", dim=1), load_sampler(name)
    if sampler.incompatibility(target):
        pytest.skip(sampler.incompatibility(target))
    draws = run(target, sampler, {}, Plan(0, 10), chains=17, start="dispersed", names=("one",))
    assert np.isfinite(draws.position).all()


def test_names_what_is_wrong_with_a_setting(sampler):
    with pytest.raises(ValueError, match=f"unknown setting of {sampler.name}: 'step_sise'"):
        sampler.with_defaults({"step_sise": 0.1})
    for name in sampler.settings:
        for bad in (-1.0, float("nan"), float("inf"), "fast", True, None):
            with pytest.raises(ValueError, match=f"{sampler.name}: {name} = "):
                sampler.with_defaults({name: bad})
