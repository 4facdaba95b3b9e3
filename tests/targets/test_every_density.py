"""Every density: its gradient by finite differences, near and far; the block form; starts; wrong parameters."""

import numpy as np
import pytest

from mcmc_bench.catalog.files import CatalogError, list_targets, load_sampler, load_target, target_parameters
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import TAGS
from mcmc_bench.sampling.replicate import Plan, run

STEP = 1e-3  # of the finite differences; small against the width of every target


def typical_points(target, n):
    """Draws of the target itself."""
    if target.draw_exact is not None:
        return target.draw_exact(stream("typical", target.label), n)
    if target.reference_draws is not None:
        return target.reference_draws[:n]
    return target.starts("dispersed", stream("typical", target.label), n)


def extreme_points(target):
    """A thousand and a million away, in all coordinates and in one."""
    generator = stream("extreme", target.label)
    points = [
        scale * np.where(generator.random((2, target.dim)) < 0.5, -1.0, 1.0) * generator.uniform(0.5, 1, target.dim)
        for scale in (1e3, 1e6)
    ]
    one = np.tile(target.one_point, (2, 1))
    one[0, 0] += 1e3
    one[1, -1] -= 1e3
    return np.concatenate([*points, one])


def directions_of(target):
    """Every coordinate by itself, or many in 40 groups along random signs: (k, dim), none left out."""
    groups = np.array_split(np.arange(target.dim), min(40, target.dim))
    signs = np.where(stream("directions", target.label).random(target.dim) < 0.5, -1.0, 1.0)
    return np.stack([np.isin(np.arange(target.dim), group) * signs for group in groups])


def central_differences(target, points, step=STEP):
    """The slopes (n, k) along `directions_of` by central differences of fourth order, and the error that each may have:
    1e-5 of the point's largest gradient, and the rounding of the density over the step.
    """
    log_density, gradient = target.log_density_and_gradient(points)
    directions = directions_of(target)
    difference, allowed = np.empty((2, len(points), len(directions)))
    for column, direction in enumerate(directions):
        inside = direction != 0

        def shifted(steps, direction=direction):
            moved = points + steps * step * direction
            # The step that was really made: x + h − x is not h where x is large.
            return target.log_density_and_gradient(moved)[0], moved - points

        (plus, h), (minus, _), (plus2, _), (minus2, _) = (shifted(steps) for steps in (1, -1, 2, -2))
        made = (np.abs(h) @ inside) / inside.sum()
        difference[:, column] = (8.0 * (plus - minus) - (plus2 - minus2)) / (12.0 * made)
        # Rounding of the density itself, and of its argument.
        rounding = np.abs(log_density) + np.abs(points * gradient) @ inside
        allowed[:, column] = 1e-5 * np.abs(gradient).max(axis=1) + 100 * np.finfo(float).eps * (rounding + 1.0) / step
    return difference, allowed


def test_gradient_at_random_points(target):
    number = 30 if target.dim < 500 else 5  # large ones are dear, and each point looks along every direction
    points = np.concatenate(
        [typical_points(target, number), target.starts("dispersed", stream("gradient", target.label), number)]
    )
    directions = directions_of(target)
    gradient = target.log_density_and_gradient(points)[1]
    difference, allowed = central_differences(target, points)
    errors = np.abs(gradient @ directions.T - difference) / allowed
    at = np.unravel_index(errors.argmax(), errors.shape)
    assert errors.max() < 1, f"direction {at[1]} at {points[at[0]]}: {errors.max():.3g} times what is allowed"
    # Power: the sign of any one coordinate flipped is caught, and so is one that is wrong by a hundredth.
    owner = np.abs(directions).argmax(axis=0)  # the direction that each coordinate is in
    for factor in (-1.0, 1.01):
        moved = (factor - 1.0) * gradient * directions[owner, np.arange(target.dim)]  # (n, coordinate)
        mutant = (gradient @ directions.T - difference)[:, owner] + moved
        assert ((np.abs(mutant) / allowed[:, owner]).max(axis=0) > 10).all()


def test_extreme_points(target):
    """Far away the density is finite, or −∞ where it is below the smallest number; never NaN, never +∞."""
    points = extreme_points(target)
    log_density, gradient = target.log_density_and_gradient(points)
    assert not np.isnan(log_density).any()
    assert (log_density < np.inf).all()
    finite = np.isfinite(log_density)
    assert np.isfinite(gradient[finite]).all()
    # As far out as the density is finite at all, a thousand where it can be: further, a step is lost in rounding.
    towards = np.concatenate([points[:2], points[-2:]]) - target.one_point
    for distance in 10.0 ** np.arange(0, -4, -0.25):
        near = target.one_point + distance * towards
        near = near[np.isfinite(target.log_density_and_gradient(near)[0])]
        if len(near):
            break
    # A smaller step: out there the density may change by its whole size over a hundredth.
    difference, allowed = central_differences(target, near, step=1e-4)
    slope = target.log_density_and_gradient(near)[1] @ directions_of(target).T
    errors = np.abs(slope - difference) / allowed
    assert errors.max() < 1, f"{errors.max():.3g} times what is allowed, at {near[errors.max(axis=1).argmax()]}"


def test_not_a_number_in_not_a_number_out(target):
    """A chain that has become non-finite is not brought back, and its neighbours in the block do not notice."""
    points = np.vstack([typical_points(target, 3), np.full(target.dim, np.nan)])
    log_density, gradient = target.log_density_and_gradient(points)
    assert np.isnan(log_density[3])
    assert np.isfinite(log_density[:3]).all()
    assert np.isfinite(gradient[:3]).all()


@pytest.mark.parametrize("chains", [1, 5, 16, 37])
def test_block_is_point_by_point(target, chains):
    points = np.concatenate([typical_points(target, 20), target.starts("dispersed", stream("block"), 17)])[:chains]
    before = points.copy()
    log_density, gradient = target.log_density_and_gradient(points)
    np.testing.assert_array_equal(points, before, "the density has changed its argument")
    for chain in range(chains):
        alone = target.log_density_and_gradient(points[chain])
        np.testing.assert_allclose(log_density[chain], alone[0][0], rtol=1e-11, atol=1e-11)
        scale = np.abs(alone[1]).max() + 1.0
        np.testing.assert_allclose(gradient[chain], alone[1][0], rtol=0, atol=1e-11 * scale)


def test_starts(target):
    """Dispersed starts are wider than the target about its mean; every start has a finite density."""
    dispersed = target.starts("dispersed", stream("starts", target.label), 4000)
    for points in (dispersed, target.starts("one_point", stream("one"), 1)):
        log_density, gradient = target.log_density_and_gradient(points)
        assert np.isfinite(log_density).all()
        assert np.isfinite(gradient).all()
    if target.truth is None:
        return
    spread = ((dispersed - target.truth.mean) ** 2).mean(axis=0)
    known = np.isfinite(target.truth.variance)
    assert (spread[known] > 1.1 * target.truth.variance[known]).all()


@pytest.mark.slow
def test_langevin_comes_in_from_the_starts(target):
    """A MALA whose step suits the target is not stuck where it is started, no more than where the draws are."""
    mala = load_sampler("mala")

    def acceptance(start, step_size, steps):
        plan = Plan(steps, steps, keep=False)
        names = ("comes in", target.label)
        draws = run(target, mala, {"step_size": step_size}, plan, chains=32, start=start, names=names)
        assert (draws.stopped_at < 0).all()
        return draws.mean_acceptance

    typical = typical_points(target, 32)
    few, steps = (100, 500) if target.dim < 500 else (15, 60)  # large ones cost a matrix product for each
    too_small, too_large = -15, 2  # powers of 4; the acceptance falls from 1 to 0 in between
    while too_large - too_small > 1:
        power = (too_small + too_large) // 2
        if np.median(acceptance(typical, 4.0**power, few)) > 0.6:
            too_small = power
        else:
            too_large = power
    step_size = 4.0**too_small
    stuck_inside = (acceptance(typical, step_size, steps) < 0.02).mean()
    for start in ("dispersed", "one_point"):
        stuck = (acceptance(start, step_size, steps) < 0.02).mean()
        assert stuck <= stuck_inside + 0.2, f"step size {step_size}"


def test_facts(target):
    assert target.formula
    assert target.description
    assert target.source
    assert target.tags
    assert set(target.tags) <= set(TAGS)
    assert ("high-dimensional" in target.tags) == (target.dim >= 50)
    if target.truth is None:
        assert target.examples is not None, "what is not learned from examples needs a truth"
        return
    assert target.truth.note
    assert target.coordinate_names is None or len(target.coordinate_names) == target.dim
    assert target.draw_exact is not None or target.reference_draws is not None


@pytest.mark.parametrize("name", list_targets())
def test_every_parameter_has_a_default(name):
    assert all(isinstance(value, (int, float, str)) for value in target_parameters(name).values())


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("gaussian", {"condition": 0.5}, "condition = 0.5 must be finite and at least 1"),
        ("gaussian", {"condition": np.nan}, "condition = nan"),
        ("gaussian", {"dim": 0}, "dim must be at least 1"),
        ("banana", {"scale": 0}, "scale = 0 must be greater than 0"),
        ("rosenbrock", {"blocks": 0}, "blocks = 0 must be at least 1"),
        ("neal_funnel", {"dim": 1}, "dim = 1 must be at least 2"),
        ("student_t", {"degrees_of_freedom": 0}, "degrees_of_freedom = 0 must be greater than 0"),
        ("donut", {"width": 3.0}, "smaller than radius = 2.6"),
        ("bimodal", {"dim": 0}, "dim = 0 must be at least 1"),
        ("ring_of_8", {"radius": -1.0}, "radius = -1.0"),
        ("grid_of_25", {"scale": 0.0}, "scale = 0.0"),
        ("gaussian_mixture", {"layout": "rnig"}, "did you mean 'ring'"),
        ("gaussian_mixture", {"weights": "equals"}, "did you mean 'equal'"),
        ("gaussian_mixture", {"layout": "grid", "modes": 8}, "a square number of modes, such as 9, not 8"),
        ("gaussian_mixture", {"modes": 1}, "modes = 1 must be at least 2"),
        ("gaussian_mixture", {"dim": 1}, "dim = 1 must be at least 2 for layout 'ring'"),
        ("octagon", {"radius": 0.0}, "radius = 0.0"),
        ("muller_brown", {"temperature": 1.0}, "temperature = 1.0 must lie between 5 and 40"),
        ("phi4", {"side": 2}, "side = 2 must be at least 3"),
        ("phi4", {"coupling": 0.0}, "coupling = 0.0 must be greater than 0"),
        ("gaussian_100", {"condition": 0.0}, "condition = 0.0 must be finite and at least 1"),
        ("many_well", {"dims": 3}, "did you mean 'dim'"),
    ],
)
def test_wrong_parameters_are_named(name, parameters, message):
    with pytest.raises(CatalogError, match=message):
        load_target(name, **parameters)
