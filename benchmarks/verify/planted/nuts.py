"""Faults planted in `nuts`."""

from mcmc_bench.checks.kernel.mutants import Fault

#: A step at which trajectories turn between two of their points, so that seams decide.
SEAMS_DECIDE = (("step_size", 0.6),)

FAULTS = {
    "nuts_uniform": Fault(
        "points drawn with equal weights",
        replaced=(
            ("numbers[ERROR, top] = -error, log_density, error", "numbers[ERROR, top] = 0.0, log_density, error"),
        ),
    ),
    "nuts_late_stop": Fault(
        "a sub-tree that has turned is kept as long as it went",
        replaced=(
            (
                "        if not goes_on:\n            break\n\n        depth += 1",
                "        if not goes_on and top < 0:\n            break\n\n        depth += 1",
            ),
        ),
    ),
    "nuts_seams": Fault(
        "seams looked at only where the whole trajectory is joined",
        replaced=(
            (
                "    goes_on = not turn_when_joined(\n        one[BEGIN, 0], one[END, 0], one[SUM_OF_TREE, 0], two[BEGIN, 0], two[END, 0], two[SUM_OF_TREE, 0]\n    )",
                "    goes_on = not turns(one[BEGIN, 0], two[END, 0], one[SUM_OF_TREE, 0], two[SUM_OF_TREE, 0])",
            ),
        ),
        settings=SEAMS_DECIDE,
    ),
    "nuts_unchecked": Fault(
        "sub-trees may turn",
        replaced=(
            (
                "    goes_on = not turn_when_joined(\n        one[BEGIN, 0], one[END, 0], one[SUM_OF_TREE, 0], two[BEGIN, 0], two[END, 0], two[SUM_OF_TREE, 0]\n    )",
                "    goes_on = True",
            ),
        ),
    ),
    "nuts_one_way": Fault(
        "trajectories go forwards only",
        replaced=(("forwards = generator.random() < 0.5", "forwards = generator.random() < 2.0"),),
    ),
    "nuts_last": Fault(
        "the last sub-tree always gives the state",
        replaced=(("goes = uniform < acceptance_probability(log_ratio)", "goes = True"),),
    ),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "nuts": Fault(
        "none",
        replaced=(
            ("numbers[ERROR, top] = -error, log_density, error", "numbers[ERROR, top] = -error, log_density, error"),
        ),
        settings=SEAMS_DECIDE,
    ),
}
