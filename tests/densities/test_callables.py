"""Targets from NumPy callables: same numbers as compiled ones, and nothing that a callable raises is lost."""

import textwrap

import numpy as np
import pytest

import mcmc_bench
from mcmc_bench import from_numpy, load_target
from mcmc_bench.core.streams import stream
from mcmc_bench.densities.foreign import address_data
from mcmc_bench.kernels.fingerprint import fingerprint


def banana(x):
    residual = x[1] - 0.03 * (x[0] ** 2 - 100)
    value = -0.5 * (x[0] / 10) ** 2 - 0.5 * residual**2
    return value, np.array([-x[0] / 100 + 0.06 * x[0] * residual, -residual])


FORMS = {
    "both at once": {"log_density": banana},
    "apart": {"log_density": lambda x: banana(x)[0], "gradient": lambda x: banana(x)[1]},
    "lists and single precision": {
        "log_density": lambda x: np.float32(banana(x)[0]),
        "gradient": lambda x: [float(v) for v in banana(x)[1]],
    },
    "batched": {
        "log_density": lambda x: banana(x.T)[0],
        "gradient": lambda x: banana(x.T)[1].T,
        "batched": True,
    },  # .T is not contiguous
}


@pytest.mark.parametrize("form", FORMS)
def test_a_callable_is_the_same_density(form):
    ours = load_target("banana")
    target = from_numpy(**FORMS[form], dim=2, one_point=[1.0, 2.0])
    points = ours.starts("dispersed", stream("callable"), 37)
    expected, found = ours.log_density_and_gradient(points), target.log_density_and_gradient(points)
    rtol = 1e-6 if "single" in form else 1e-12
    np.testing.assert_allclose(found[0], expected[0], rtol=rtol)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


def test_sampling_gives_the_very_draws_of_the_compiled_density():
    ours = load_target("banana")
    target = from_numpy(banana, dim=2, draw_dispersed=ours.draw_dispersed, name="banana")
    arguments = {"draws": 50, "chains": 20, "seed": 1, "threads": 2, "step_size": 0.5}
    found, expected = (mcmc_bench.sample(one, "mala", **arguments)["posterior"]["x"].values for one in (target, ours))
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_all_callables_share_one_compiled_density():
    first, second = (from_numpy(banana, dim=2, one_point=[0, 0]) for _ in range(2))
    assert first.pointer is second.pointer
    assert not np.array_equal(first.data, second.data)


def test_the_callables_are_its_identity():
    def target(k):
        return from_numpy(lambda x: (-0.5 * k * x @ x, -k * x), dim=2, one_point=[0, 0])

    assert fingerprint(target(1.0)) == fingerprint(target(1.0)) != fingerprint(target(2.0))
    apart = [
        from_numpy(lambda x: -0.5 * x @ x, lambda x, k=k: -k * x, dim=2, one_point=[0, 0], batched=batched)
        for k, batched in ((1.0, False), (2.0, False), (1.0, True))
    ]
    assert len({fingerprint(one) for one in apart}) == 3


def test_addresses_survive_as_floats():
    for address in (0, 1, 2**32, 2**47 - 8, 2**63 - 8):
        high, low = address_data(address)
        assert int(high) * 2**32 + int(low) == address


class OwnError(Exception):
    pass


def raises(x):
    if x[0] > 1.5:
        raise OwnError("too far")
    return banana(x)


def test_what_a_callable_raises_is_raised():
    target = from_numpy(raises, dim=2, one_point=[0.0, 0.0], draw_dispersed=lambda generator, n: np.zeros((n, 2)))
    with pytest.raises(OwnError, match="too far"):
        target.log_density_and_gradient([2.0, 0.0])
    target.log_density_and_gradient([0.0, 0.0])  # and once only
    with pytest.raises(OwnError, match="too far"):
        mcmc_bench.sample(target, "mala", draws=2000, step_size=1.0)


@pytest.mark.parametrize(
    ("log_density", "gradient", "message"),
    [
        (lambda x: x, lambda x: x, r"log density must have shape \(\), not \(2,\)"),
        (lambda x: 0.0, lambda x: np.zeros(3), r"gradient must have shape \(2,\), not \(3,\)"),
        (lambda x: 0.0, None, r"must return \(log density, gradient\), not a float"),
    ],
)
def test_wrong_shapes_are_named(log_density, gradient, message):
    with pytest.raises(ValueError, match=message):
        from_numpy(log_density, gradient, dim=2, one_point=[0, 0]).log_density_and_gradient(np.zeros(2))


def test_chains_have_to_start_somewhere():
    with pytest.raises(ValueError, match="give draw_dispersed, one_point or both"):
        from_numpy(banana, dim=2)


def test_a_callable_cannot_change_the_chains():
    def rude(x):
        x[:] = 7.0
        return -0.5 * float(x @ x), -x

    target = from_numpy(rude, dim=2, one_point=[0, 0])
    points = np.zeros((3, 2))
    target.log_density_and_gradient(points)
    assert (points == 0).all()


FILE = """
    import numpy as np
    from mcmc_bench import from_numpy

    def build():
        return from_numpy(
            lambda x: -0.5 * (x**2).sum(axis=1), lambda x: -x, dim=2, batched=True,
            draw_dispersed=lambda generator, n: 3.0 * generator.standard_normal((n, 2)),
            draw_exact=lambda generator, n: generator.standard_normal((n, 2)),
        )
"""
SUITE = """
    [suite]
    title = "callables"
    budget = 200
    chains = 8
    replicates = 2
    metrics = ["cost", "accuracy"]

    [[experiment]]
    name = "one"
    targets = ["python_gaussian"]
    samplers = [{ name = "mala", step_size = 0.5 }, "oracle"]
"""


@pytest.mark.slow
def test_a_file_with_callables_works_in_suites(tmp_path):
    (tmp_path / "python_gaussian.py").write_text(textwrap.dedent(FILE))
    (tmp_path / "callables.toml").write_text(textwrap.dedent(SUITE))
    results = mcmc_bench.run(tmp_path / "callables.toml", output=tmp_path / "out", targets_folder=tmp_path)
    assert [cell.outcome for cell in results.cells] == ["finished", "finished"], [c.message for c in results.cells]
