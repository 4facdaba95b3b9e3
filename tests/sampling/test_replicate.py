"""The driver: what is kept, what is counted, chains that leave, runs that cannot be started, Ctrl-C."""

import dataclasses
import threading

import numpy as np
import pytest

from mcmc_bench.catalog.files import load_sampler, load_target
from mcmc_bench.core.sampler import Sampler, Setting
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target, point_density
from mcmc_bench.metrics import evaluate
from mcmc_bench.sampling.api import sample
from mcmc_bench.sampling.replicate import Budget, Plan, SamplingError, run


@point_density
def _cliff(x, gradient, data):
    """A Gaussian with no density (NaN) beyond |x| = data[0], where chains leave."""
    if abs(x[0]) > data[0]:
        gradient[0] = np.nan
        return np.nan
    gradient[0] = -x[0]
    return -0.5 * x[0] ** 2


def cliff(height=2.0):
    return Target(
        dim=1,
        density=_cliff,
        data=np.array([height]),
        draw_dispersed=lambda generator, n: generator.uniform(-1, 1, (n, 1)),
        one_point=np.zeros(1),
        name="cliff",
    )


def test_thinning_keeps_every_nth_draw_and_moments_use_all():
    target, sampler = load_target("banana"), load_sampler("mala")
    every = run(target, sampler, {}, Plan(10, 100), chains=3, start="dispersed", names=("thin",))
    third = run(target, sampler, {}, Plan(10, 100, thin=3), chains=3, start="dispersed", names=("thin",))
    np.testing.assert_array_equal(third.position, every.position[:, 2::3])
    np.testing.assert_array_equal(third.acceptance_rate, every.acceptance_rate[:, 2::3])
    np.testing.assert_array_equal(third.mean, every.mean)
    np.testing.assert_allclose(every.mean, every.position.mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(every.mean_square, (every.position**2).mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(every.mean_acceptance, every.acceptance_rate.mean(axis=1), rtol=1e-10)


def test_moments_without_draws():
    target, sampler = load_target("banana"), load_sampler("mala")
    kept = run(target, sampler, {}, Plan(10, 100), chains=3, start="dispersed", names=("keep",))
    dropped = run(target, sampler, {}, Plan(10, 100, keep=False), chains=3, start="dispersed", names=("keep",))
    assert dropped.position.shape == (3, 0, 2)
    np.testing.assert_array_equal(kept.mean_square, dropped.mean_square)


def test_burn_in_is_discarded_and_charged():
    target, sampler = load_target("gaussian", dim=2), load_sampler("ula")
    whole = run(target, sampler, {}, Plan(0, 30), chains=2, start="dispersed", names=("burn",))
    cut = run(target, sampler, {}, Plan(10, 20), chains=2, start="dispersed", names=("burn",))
    np.testing.assert_array_equal(whole.position[:, 10:], cut.position)
    np.testing.assert_allclose(cut.mean, cut.position.mean(axis=1))
    assert (cut.cost.warmup_evaluations, cut.cost.sampling_evaluations) == (11, 20)


def test_a_chain_that_leaves_is_stopped_and_marked():
    draws = run(
        cliff(), load_sampler("ula"), {"step_size": 0.3}, Plan(0, 200), chains=40, start="dispersed", names=("leave",)
    )
    left = draws.stopped_at >= 0
    assert left.sum() > 0
    for chain in np.flatnonzero(left):
        last = draws.stopped_at[chain] - 1  # one evaluation at the start, one a step
        assert np.isfinite(draws.position[chain, : last - 1]).all()
        assert np.isnan(draws.position[chain, last - 1 :]).all()
        assert np.isnan(draws.log_density[chain, last - 1 :]).all()
        assert np.isnan(draws.mean[chain]).all()
        assert np.isnan(draws.mean_acceptance[chain])
    stayed = ~left
    assert np.isfinite(draws.position[stayed]).all()
    assert draws.cost.evaluations == np.where(left, draws.stopped_at, 201).mean()


def test_a_chain_that_left_in_warm_up_stays_marked():
    draws = run(
        cliff(0.5), load_sampler("ula"), {"step_size": 0.5}, Plan(200, 50), chains=8, start="one_point", names=("w",)
    )
    assert (draws.stopped_at > 0).all()
    assert np.isnan(draws.mean).all()
    assert draws.cost.sampling_evaluations == 0


def test_an_exact_sampler_rejects_where_there_is_no_density():
    """The same cliff costs a Metropolised chain a rejection and a divergence, not its life."""
    draws = run(
        cliff(), load_sampler("mala"), {"step_size": 0.5}, Plan(0, 500), chains=16, start="dispersed", names=("stay",)
    )
    assert (draws.stopped_at == -1).all()
    assert np.abs(draws.position).max() <= 2.0
    assert draws.divergences.sum() == draws.diverging.sum() > 0


def test_an_unstable_step_size_leaves():
    target = load_target("gaussian", dim=1)
    draws = run(target, load_sampler("ula"), {"step_size": 2.5}, Plan(0, 5000), chains=4, start="exact", names=("u",))
    assert (draws.stopped_at > 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chains": 0}, "chains = 0"),
        ({"start": "middle"}, "unknown start 'middle'"),
        ({"start": np.zeros((2, 3))}, r"must have shape \(4, 2\), not \(2, 3\)"),
        ({"start": np.full((4, 2), np.inf)}, "not finite at the start"),
        ({"settings": {"step_size": 0}}, "step_size = 0 must be greater than 0"),
        ({"inverse_mass_matrix": [1.0, 1.0]}, "ula uses no inverse_mass_matrix"),
    ],
)
def test_runs_that_cannot_be_started(change, message):
    arguments = {"settings": {}, "chains": 4, "start": "dispersed", **change}
    with pytest.raises(SamplingError, match=message):
        run(
            load_target("gaussian", dim=2),
            load_sampler("ula"),
            arguments.pop("settings"),
            Plan(0, 5),
            names=("bad",),
            **arguments,
        )


@pytest.mark.parametrize("diagonal", [[1.0], [1.0, -1.0], [1.0, 0.0], [1.0, np.nan]])
def test_a_bad_mass_matrix(diagonal):
    with pytest.raises(SamplingError, match="inverse_mass_matrix must"):
        run(
            load_target("gaussian", dim=2),
            load_sampler("hmc"),
            {},
            Plan(0, 5),
            chains=2,
            start="dispersed",
            names=("bad",),
            inverse_mass_matrix=diagonal,
        )


def test_stopping_from_outside_ends_after_a_chunk(monkeypatch):
    monkeypatch.setattr("mcmc_bench.sampling.blocks.CHUNK_EVALUATIONS", 100)
    stop, counts = threading.Event(), []

    def progress(count):
        counts.append(count)
        stop.set()

    with pytest.raises(KeyboardInterrupt):
        run(
            load_target("gaussian", dim=2),
            load_sampler("ula"),
            {},
            Plan(0, 100_000),
            chains=10,
            start="dispersed",
            names=("stop",),
            progress=progress,
            stop=stop,
        )
    assert counts == [100]


def test_plan_spends_the_budget_and_not_more():
    sampler = load_sampler("hmc")
    settings = sampler.with_defaults({"num_integration_steps": 7})
    plan = Budget(1000, 0.25, max_draws=50).plan(sampler, settings)
    assert plan.warmup + plan.transitions == 999 // 7
    assert plan.warmup == int(0.25 * (999 // 7))
    assert plan.transitions // plan.thin <= 50
    with pytest.raises(SamplingError, match="budget of 5 evaluations leaves no transition"):
        Budget(5, 0.25, 50).plan(sampler, settings)


def test_streams_come_from_names():
    first = stream("suite", "banana", 1).standard_normal(3)
    np.testing.assert_array_equal(first, stream("suite", "banana", 1).standard_normal(3))
    assert not np.array_equal(first, stream("suite", "banana", 2).standard_normal(3))
    # Names are kept apart: "ab", "c" is not "a", "bc".
    assert not np.array_equal(stream("ab", "c").standard_normal(3), stream("a", "bc").standard_normal(3))


def test_sample_returns_arviz_schema(tmp_path):
    tree = sample("gaussian", "hmc", draws=50, warmup=10, chains=3, seed=1, step_size=0.5, num_integration_steps=4)
    assert tree["posterior"]["x"].dims == ("chain", "draw", "dim")
    assert tree["posterior"]["x"].shape == (3, 50, 10)
    assert set(tree["sample_stats"]) >= {"lp", "acceptance_rate", "diverging"}
    assert tree.attrs["evaluations"] == 1 + 60 * 4
    assert tree.attrs["warmup_evaluations"] == 1 + 10 * 4
    again = sample("gaussian", "hmc", draws=50, warmup=10, chains=3, seed=1, step_size=0.5, num_integration_steps=4)
    np.testing.assert_array_equal(tree["posterior"]["x"], again["posterior"]["x"])
    other = sample("gaussian", "hmc", draws=50, warmup=10, chains=3, seed=2, step_size=0.5, num_integration_steps=4)
    assert not np.array_equal(tree["posterior"]["x"], other["posterior"]["x"])
    tree.to_netcdf(tmp_path / "draws.nc")


def test_sample_thins_and_drops():
    tree = sample("gaussian", "mala", draws=20, chains=2, thin=5)
    assert tree["posterior"]["x"].shape == (2, 20, 10)
    assert tree["moments"].attrs["transitions"] == 100
    moments = sample("gaussian", "mala", draws=20, chains=2, thin=5, keep_draws=False)
    assert "posterior" not in moments
    np.testing.assert_array_equal(tree["moments"]["mean"], moments["moments"]["mean"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"draws": 0}, "draws = 0 must be a whole number, at least 1"),
        ({"draws": 2.5}, "draws = 2.5"),
        ({"warmup": -1}, "warmup = -1"),
        ({"threads": 0}, "threads = 0"),
        ({"target": "bananna"}, "did you mean 'banana'"),
        ({"sampler": "nuts2"}, "did you mean 'nuts'"),
        ({"stepsize": 0.1}, "did you mean 'step_size'"),
    ],
)
def test_sample_names_what_is_wrong(change, message):
    arguments = {"target": "banana", "sampler": "mala", "draws": 10, **change}
    with pytest.raises(ValueError, match=message):
        sample(arguments.pop("target"), arguments.pop("sampler"), **arguments)


# ---- samplers written in Python ----


def python_sampler(draw, **more):
    settings = {"scale": Setting(1.0, "")}
    return Sampler(kind="biased", description="", source="", draw=draw, settings=settings, name="mine", **more)


def standing_still(target, generator, start, draws, settings):
    """Asks the target nothing."""
    return np.tile(start, (draws, 1, 1))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda *_: 1 / 0, r"mine: draw\(\) raised ZeroDivisionError: division by zero"),
        (lambda *_: [["a"]], r"mine: draw\(\) raised ValueError: could not convert"),
        (lambda *_: np.zeros(3), r"mine: draw\(\) returned positions of shape \(3,\)"),
        (lambda target, *_: target.exact_draws(None, 1), "banana_without has no exact sampler"),
    ],
)
def test_what_a_python_sampler_raises_has_its_name(draw, message):
    target = dataclasses.replace(load_target("banana"), draw_exact=None, name="banana_without")
    with pytest.raises(SamplingError, match=message):
        run(target, python_sampler(draw), {}, Plan(0, 5), chains=2, start="dispersed", names=("raises",))


def test_an_ensemble_has_all_chains():
    """Blocks of 16 would be ensembles of their own."""
    seen = []

    def draw(target, generator, start, draws, settings):
        seen.append(start.shape)
        return standing_still(target, generator, start, draws, settings)

    for block_chains, expected in (
        ("all", [(50, 2)]),
        (20, [(20, 2), (20, 2), (10, 2)]),
        (None, [(16, 2)] * 3 + [(2, 2)]),
    ):
        seen.clear()
        sampler = python_sampler(draw, block_chains=block_chains)
        run(load_target("banana"), sampler, {}, Plan(0, 5), chains=50, start="dispersed", names=("ensemble",))
        assert seen == expected


def test_what_a_program_does_not_tell_is_not_claimed():
    """Neither count, nor acceptance, nor divergences: a draw stands for an evaluation, and nothing is divided by zero."""
    tree = sample(load_target("gaussian", dim=2), python_sampler(standing_still), draws=50, chains=3)
    assert not {"acceptance_rate", "diverging", "energy_error"} & set(tree["sample_stats"].data_vars)
    assert not {"mean_acceptance", "divergences"} & set(tree["moments"].data_vars)
    frame = evaluate(tree, load_target("gaussian", dim=2)).set_index("metric")
    for metric, note in (
        ("evaluations", "not recorded: a draw stands for one"),
        ("sampling_evaluations", "not recorded: a draw stands for one"),
        ("acceptance_rate", "not recorded"),
        ("divergences", "not recorded"),
    ):
        assert np.isnan(frame.loc[metric, "value"])
        assert frame.loc[metric, "note"] == note
    own = evaluate(sample("gaussian", "mala", draws=50, chains=3), load_target("gaussian")).set_index("metric")
    assert own.loc[["evaluations", "acceptance_rate", "divergences"], "value"].notna().all()


# ---- what a sampler and a target can do together ----


@pytest.mark.parametrize(
    ("target", "sampler", "settings", "message"),
    [
        ("student_t", "parallel_tempering", {}, "parallel_tempering cannot run: hottest = 0.02: the power p"),
        (
            "cauchy",
            "parallel_tempering",
            {"hottest": 0.5},
            "an integral for β > 0.5 only; set hottest between 0.5 and 1",
        ),
        ("breast_cancer_logistic", "sgld", {"share": 1e-4}, "share = 0.0001 of the 569 rows"),
        ("song_ermon", "reverse_sde", {"largest_noise": 0.01}, "must be greater than smallest_noise = 0.05"),
    ],
)
def test_settings_that_a_target_cannot_take(target, sampler, settings, message):
    with pytest.raises(SamplingError, match=message):
        run(
            load_target(target),
            load_sampler(sampler),
            settings,
            Plan(0, 1),
            chains=2,
            start="dispersed",
            names=("fit",),
        )


def test_a_part_of_the_data_costs_the_rows_that_are_looked_at():
    draws = run(
        load_target("breast_cancer_logistic"),
        load_sampler("sgld"),
        {"share": 0.1},
        Plan(0, 100),
        chains=4,
        start="dispersed",
        names=("rows",),
    )
    assert draws.cost.evaluations == pytest.approx(1 + 100 * 57 / 569)
