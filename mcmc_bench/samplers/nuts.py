"""The No-U-Turn sampler, multinomial, with the generalised criterion.

    p ~ N(0, I);  a trajectory of leapfrog steps is doubled, forwards or backwards by a fair coin, until it turns round;
    the next state is drawn from its points with weights e^{−H}, and prefers those of the later half

A stretch of the trajectory that begins with momentum p₋, ends with p₊ and has ρ = Σ p − (p₋ + p₊)/2 goes on while p₋·ρ > 0
and p₊·ρ > 0. So ρ h is the way from its first point to its last, by the trapezoidal rule; the whole sum Σ p is longer by one
step, turns too late, and costs up to a fifth of the efficiency. Every stretch of length 2ʲ is held to it, and so are the two
that overlap the seam of any two that are joined (the one with the nearest point of the other): without these a trajectory
whose length is a whole number of turns would not be seen, and run to the largest depth. A step whose energy error exceeds
1000 ends the trajectory as diverging; the energy error that is recorded is that of the state which is chosen.
Unit mass; a mass matrix is other coordinates. Trajectories differ in length, so that chains move one by one.
"""

import numpy as np

from mcmc_bench.core.sampler import DIVERGING, Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import (
    acceptance_probability,
    copy,
    diverges,
    flat,
    kinetic_energy,
    leapfrog,
    record,
)
from mcmc_bench.kernels.hamiltonian import leapfrog_flow
from mcmc_bench.kernels.jit import jit, jit_inline
from mcmc_bench.kernels.mathematics import exp

#: Arrays of `scratch`: both ends of the trajectory and the end that moves, each position, momentum and gradient; Σ p.
LEFT, RIGHT, MOVING, SUM, FIRST_TREE = 0, 3, 6, 9, 10
#: Arrays of a finished sub-tree: first and last momentum, Σ p, the point drawn from it and its gradient.
BEGIN, END, SUM_OF_TREE, POINT, POINT_GRADIENT, ARRAYS = 0, 1, 2, 3, 4, 5
#: Numbers of a finished sub-tree: log Σ e^{−H} against the start, and of its point the log density and the energy error.
LOG_WEIGHT, LOG_DENSITY, ERROR, NUMBERS = 0, 1, 2, 3


@jit_inline
def turns(begin, end, first, second):
    """True if a stretch from momentum `begin` to `end`, with Σ p = `first` + `second`, has turned round."""
    forward = backward = 0.0
    for i in range(begin.shape[0]):
        rho = first[i] + second[i] - 0.5 * (begin[i] + end[i])
        forward += end[i] * rho
        backward += begin[i] * rho
    return not (forward > 0.0 and backward > 0.0)


@jit_inline
def turn_when_joined(begin, seam_before, sum_before, seam_after, end, sum_after):
    """True if two neighbouring stretches, joined, have turned round: as a whole, or over their seam."""
    return (
        turns(begin, end, sum_before, sum_after)
        or turns(begin, seam_after, sum_before, seam_after)
        or turns(seam_before, end, sum_after, seam_before)
    )


@jit_inline
def log_add(a, b):
    """log(e^a + e^b)."""
    return max(a, b) + np.log1p(exp(-abs(a - b)))


@jit_inline
def make_leaf(scratch, numbers, top, log_density, error):
    """Make the point at the moving end a sub-tree of its own, on top of the stack."""
    base = FIRST_TREE + ARRAYS * top
    for k in (BEGIN, END, SUM_OF_TREE):
        copy(scratch[MOVING + 1], scratch[base + k])
    copy(scratch[MOVING], scratch[base + POINT])
    copy(scratch[MOVING + 2], scratch[base + POINT_GRADIENT])
    numbers[LOG_WEIGHT, top], numbers[LOG_DENSITY, top], numbers[ERROR, top] = -error, log_density, error


@jit_inline
def merge(uniform, scratch, numbers, top):
    """Join the two sub-trees on top of the stack, of equal length, into one with a point of either by its weight.

    Returns True if the whole goes on, and has not turned round.
    """
    base = FIRST_TREE + ARRAYS * top
    one, two = scratch[base - ARRAYS : base], scratch[base : base + ARRAYS]
    goes_on = not turn_when_joined(
        one[BEGIN, 0], one[END, 0], one[SUM_OF_TREE, 0], two[BEGIN, 0], two[END, 0], two[SUM_OF_TREE, 0]
    )
    both = log_add(numbers[LOG_WEIGHT, top - 1], numbers[LOG_WEIGHT, top])
    if uniform < exp(numbers[LOG_WEIGHT, top] - both):
        copy(two[POINT], one[POINT])
        copy(two[POINT_GRADIENT], one[POINT_GRADIENT])
        numbers[LOG_DENSITY, top - 1], numbers[ERROR, top - 1] = numbers[LOG_DENSITY, top], numbers[ERROR, top]
    numbers[LOG_WEIGHT, top - 1] = both
    copy(two[END], one[END])
    for i in range(one.shape[2]):
        one[SUM_OF_TREE, 0, i] += two[SUM_OF_TREE, 0, i]
    return goes_on


@jit_inline
def choose(uniform, log_ratio, scratch, position, gradient):
    """Go to the point of the later half of the trajectory with probability min(1, e^log_ratio). Returns True if it goes."""
    goes = uniform < acceptance_probability(log_ratio)
    if goes:
        copy(scratch[FIRST_TREE + POINT], position)
        copy(scratch[FIRST_TREE + POINT_GRADIENT], gradient)
    return goes


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, max_tree_depth = settings
    left, right, moving = scratch[LEFT : LEFT + 3], scratch[RIGHT : RIGHT + 3], scratch[MOVING : MOVING + 3]
    total, tree = flat(scratch[SUM]), scratch[FIRST_TREE : FIRST_TREE + ARRAYS]
    numbers = np.empty((NUMBERS, int(max_tree_depth) + 1))
    moving_log_density = np.empty(1)

    for i in range(total.shape[0]):
        left[1, 0, i] = generator.standard_normal()
        total[i] = left[1, 0, i]
    copy(position, left[0])
    copy(gradient, left[2])
    for k in range(3):
        copy(left[k], right[k])
    initial_energy = kinetic_energy(left[1, 0]) - log_density[0]
    energy_error = 0.0  # of the state that is chosen
    log_weight, acceptance, steps, depth = 0.0, 0.0, 0, 0
    goes_on, diverging = True, False

    while goes_on and depth < max_tree_depth:
        forwards = generator.random() < 0.5
        far, near = (left, right) if forwards else (right, left)
        for k in range(3):
            copy(near[k], moving[k])
        top = -1  # of the stack of finished sub-trees
        for leaf in range(2**depth):
            leapfrog(
                target,
                data,
                step_size if forwards else -step_size,
                1,
                moving[0],
                moving[1],
                moving_log_density,
                moving[2],
                evaluations,
            )
            steps += 1
            error = kinetic_energy(moving[1, 0]) - moving_log_density[0] - initial_energy
            acceptance += acceptance_probability(-error)
            if diverges(error):
                goes_on, diverging = False, True
                break
            top += 1
            make_leaf(scratch, numbers, top, moving_log_density[0], error)
            # As a binary counter carries: two sub-trees of equal length become one.
            carry = leaf
            while carry % 2 == 1 and goes_on:
                goes_on = merge(generator.random(), scratch, numbers, top)
                carry //= 2
                top -= 1
            if not goes_on:
                break
        if not goes_on:
            break

        depth += 1
        if choose(generator.random(), numbers[LOG_WEIGHT, 0] - log_weight, scratch, position, gradient):
            log_density[0], energy_error = numbers[LOG_DENSITY, 0], numbers[ERROR, 0]
        log_weight = log_add(log_weight, numbers[LOG_WEIGHT, 0])
        goes_on = not turn_when_joined(far[1, 0], near[1, 0], total, tree[BEGIN, 0], tree[END, 0], tree[SUM_OF_TREE, 0])
        for i in range(total.shape[0]):
            total[i] += tree[SUM_OF_TREE, 0, i]
        for k in range(3):
            copy(moving[k], near[k])

    record(statistics, 0, acceptance / steps, energy_error)
    statistics[0, DIVERGING] = 1.0 if diverging else 0.0
    statistics[0, 3], statistics[0, 4] = steps, depth


SAMPLER = Sampler(
    kind="exact",
    description="HMC that finds the length of each trajectory by itself: it stops where it would turn back",
    source="Hoffman and Gelman 2014, arXiv 1111.4246; Betancourt 2017, arXiv 1701.02434; checks across seams as in Stan 2.23",
    step=step,
    flow=leapfrog_flow,
    energy_error_is_log_ratio=False,
    scratch=lambda settings: FIRST_TREE + ARRAYS * (int(settings["max_tree_depth"]) + 1),
    extra_statistics=lambda settings: ("n_steps", "tree_depth"),
    settings={
        "step_size": Setting(0.1, "h, the leapfrog step", low=0.0, above=True),
        "max_tree_depth": Setting(10, "doublings at most", low=1, high=20, integer=True),
    },
    evaluations_per_step=lambda settings: 7.0,
    varying_cost=True,
    block_chains=1,
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.8),
)
