"""Every target of the catalogue, and variants of those that take parameters; a new file is tested without a line here."""

import pytest

from mcmc_bench.catalog.files import list_targets, load_target

#: Further parameters of built-in targets; the defaults of every target are always tested.
VARIANTS = [
    ("gaussian", {"dim": 1}),
    ("gaussian", {"dim": 7, "condition": 1e6}),
    ("gaussian_mixture", {"layout": "grid", "modes": 9, "weights": "decreasing", "dim": 5, "scale": 0.3}),
    ("gaussian_mixture", {"layout": "line", "modes": 3, "weights": "alternating", "dim": 1, "separation": 2.0}),
    ("bimodal", {"dim": 2}),
    ("rosenbrock", {"blocks": 3}),
    ("neal_funnel", {"dim": 2}),
    ("student_t", {"dim": 3, "degrees_of_freedom": 1}),
    ("student_t", {"dim": 2, "degrees_of_freedom": 12}),
    ("many_well", {"dim": 2}),
    ("donut", {"radius": 1.0, "width": 0.6}),
    ("quartic", {"dim": 1}),
    ("cauchy", {"dim": 5}),
    ("muller_brown", {"temperature": 40.0}),
]
#: In double precision, for finite differences and comparisons to the last digit; what single precision does to a target is
#: tested with the target.
CASES = [load_target(name, **given).in_double() for name, given in [(name, {}) for name in list_targets()] + VARIANTS]


def fixture_for(which):
    return pytest.fixture(scope="module", params=[case for case in CASES if which(case)], ids=lambda case: case.label)(
        lambda request: request.param
    )


target = fixture_for(lambda case: True)
target_with_truth = fixture_for(lambda case: case.truth is not None)
target_with_constrained_truth = fixture_for(
    lambda case: case.constrained is not None and case.constrained.truth is not None
)
reference_target = fixture_for(lambda case: case.truth is not None and case.truth.origin == "reference run")
exact_target = fixture_for(lambda case: case.draw_exact is not None)
#: Planar, with a truth and tails light enough for a grid.
planar_target = fixture_for(lambda case: case.dim == 2 and case.truth is not None and "heavy-tailed" not in case.tags)
target_with_modes = fixture_for(lambda case: case.modes is not None)
target_with_gaussian_modes = fixture_for(lambda case: case.modes is not None and case.modes.precision is not None)
smoothed_target = fixture_for(lambda case: case.smoothed is not None)
exactly_smoothed_target = fixture_for(lambda case: case.smoothed is not None and case.draw_exact is not None)
