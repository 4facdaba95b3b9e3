"""Every target of the catalogue, and variants of those that take parameters; a new file is tested without a line here."""

import pytest

from mcmc_bench.catalog import list_targets, load_target

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
]
CASES = [(name, {}) for name in list_targets()] + VARIANTS


@pytest.fixture(
    scope="module", params=CASES, ids=lambda case: case[0] + "".join(f"-{k}={v}" for k, v in case[1].items())
)
def target(request):
    name, parameters = request.param
    return load_target(name, **parameters)
