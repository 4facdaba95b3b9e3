"""`mcmc-bench check`: every planted fault is named with its fix, and right targets have none.

False alarms: the statistical stages fail a right target once in a million each (`truth.LEVEL`).
"""

import textwrap

import pytest

from mcmc_bench.catalog.files import list_targets
from mcmc_bench.checks.density import check as check_in_process
from mcmc_bench.checks.density.stages import CheckError


def check(*arguments, **named):
    """`check` without a process of its own, which is for what loops or crashes."""
    return check_in_process(*arguments, executor="inline", **named)


RIGHT = """
    import numpy as np
    from mcmc_bench.core.target import Modes, Target, Truth, block_density, point_density

    @point_density
    def log_density(x, gradient, data):
        for i in range(3):
            gradient[i] = -x[i]
        return -0.5 * (x[0] ** 2 + x[1] ** 2 + x[2] ** 2)

    def build() -> Target:
        from scipy import stats

        return Target(
            dim=3, density=log_density,
            draw_dispersed=lambda generator, n: 3.0 * generator.standard_normal((n, 3)),
            draw_exact=lambda generator, n: 1.0 * generator.standard_normal((n, 3)),
            one_point=np.full(3, 2.0),
            truth=Truth(
                "exact", mean=np.zeros(3), second_moment=np.ones(3), variance_of_square=np.full(3, 2.0),
                mean_log_density=-1.5, quantiles=np.tile(stats.norm.ppf([0.05, 0.25, 0.5, 0.75, 0.95]), (3, 1)),
            ),
            modes=Modes(np.zeros((1, 3)), np.ones(1)),
            tags=("gaussian",), formula="N(0, I)", description="a test", source="closed form",
        )
"""
POINT = "        for i in range(3):\n            gradient[i] = -x[i]\n        return -0.5 * (x[0] ** 2 + x[1] ** 2 + x[2] ** 2)\n"
DISPERSED = "lambda generator, n: 3.0 * generator.standard_normal((n, 3))"
EXACT = "lambda generator, n: 1.0 * generator.standard_normal((n, 3))"


def written(folder, *changes):
    """A file with a target that is right but for `changes` (old text, new text)."""
    text = RIGHT
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    file = folder / "planted.py"
    file.write_text(textwrap.dedent(text))
    return file


def test_a_right_target_has_no_problem(tmp_path):
    report = check(written(tmp_path), picture=tmp_path / "picture.png")
    assert report.problems == [], str(report)
    assert {finding.stage for finding in report.findings} >= {
        "load",
        "starts",
        "compile",
        "identity",
        "finite at the starts",
        "plain Python",
        "gradient",
        "corners",
        "contract",
        "exact sampler",
        "truth",
        "modes",
        "speed",
        "picture",
    }
    assert (tmp_path / "picture.png").stat().st_size > 5000


FAULTS = {
    "sign of the gradient": ([("gradient[i] = -x[i]", "gradient[i] = x[i]")], "gradient", "the opposite sign"),
    "an energy": (
        [("gradient[i] = -x[i]", "gradient[i] = x[i]"), ("return -0.5 * (", "return 0.5 * (")],
        "corners",
        "this looks like −log p",
    ),
    "scale": ([("gradient[i] = -x[i]", "gradient[i] = -2.0 * x[i]")], "gradient", "2 times what it should be"),
    "scale by little": ([("gradient[i] = -x[i]", "gradient[i] = -1.001 * x[i]")], "gradient", "1.001 times"),
    "one coordinate": (
        [("return -0.5", "gradient[1] = -x[1] - 0.3\n        return -0.5")],
        "gradient",
        "wrong in coordinate 1; the other 2",
    ),
    "one coordinate's sign": (
        [("return -0.5", "gradient[2] = x[2]\n        return -0.5")],
        "gradient",
        "wrong in coordinate 2, with the opposite sign",
    ),
    "a region": (
        [
            (
                "return -0.5",
                "if x[0] > 2.0:\n            gradient[0] = 0.0\n            gradient[1] = 0.0\n            gradient[2] = 0.0\n        return -0.5",
            )
        ],
        "gradient",
        "in a region only",
    ),
    "NaN in a corner": (
        [("return -0.5", "if x[0] > 2.5 and x[1] > 2.0:\n            return np.nan\n        return -0.5")],
        "corners",
        "log density is NaN",
    ),
    "an infinite peak": (
        [("return -0.5", "if x[0] > 9.0:\n            return np.inf\n        return -0.5")],
        "corners",
        "log density is +∞",
    ),
    "wrong dimension, too large": ([("range(3)", "range(4)")], "contract", "writes outside of gradient"),
    "entry not written": ([("range(3)", "range(2)")], "contract", "not written, or added to, in coordinate 2"),
    "added to": ([("gradient[i] = -x[i]", "gradient[i] -= x[i]")], "contract", "not written, or added to"),
    "changes x": ([("return -0.5", "x[0] = 0.0\n        return -0.5")], "contract", "changes x"),
    "exact sampler too wide": ([(EXACT, EXACT.replace("1.0", "1.1"))], "exact sampler", "not of this density"),
    "exact sampler shifted": ([(EXACT, EXACT.replace("1.0 *", "0.2 +"))], "exact sampler", "not of this density"),
    "wrong mean": (
        [("mean=np.zeros(3)", "mean=np.array([0.0, 0.1, 0.0])")],
        "truth",
        "E x of coordinate 1 should be 0.1",
    ),
    "wrong second moment": ([("second_moment=np.ones(3)", "second_moment=np.full(3, 1.2)")], "truth", "E x²"),
    "wrong E log p": ([("mean_log_density=-1.5", "mean_log_density=-4.25")], "truth", "E log p should be -4.25"),
    "wrong mode": ([("Modes(np.zeros((1, 3))", "Modes(np.ones((1, 3))")], "modes", "no zero of the gradient"),
    "wrong weights": (
        [("Modes(np.zeros((1, 3)), np.ones(1))", "Modes(np.array([[-0.1, 0, 0], [0.1, 0, 0]]), np.array([0.6, 0.4]))")],
        "modes",
        "should have 0.6 of the mass",
    ),
    "dispersed of wrong dimension": (
        [(DISPERSED, DISPERSED.replace("(n, 3)", "(n, 2)"))],
        "starts",
        "gives shape (5, 2), not (5, 3)",
    ),
    "dispersed raises": ([(DISPERSED, "lambda generator, n: 1 / 0")], "starts", "ZeroDivisionError"),
    "starts outside": (
        [("return -0.5", "if x[0] < 0.0:\n            return -np.inf\n        return -0.5")],
        "finite at the starts",
        "log density is -inf",
    ),
    "not compilable": ([("return -0.5", "gradient.append(1)\n        return -0.5")], "compile", "append"),
    "build raises": ([("from scipy import stats", "raise RuntimeError('no data')")], "load", "no data"),
    "no build": ([("def build()", "def make()")], "load", "has no function build()"),
    "syntax": ([("def build()", "def build(")], "load", "SyntaxError"),
    "build crashes the process": (
        [("from scipy import stats", "import os; os.abort()")],
        "load",
        "the process died while it was loaded",
    ),
}
CRASH = ("wrong dimension, too large", "build crashes the process")


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_with_its_mend(tmp_path, fault):
    changes, stage, words = FAULTS[fault]
    report = (check_in_process if fault in CRASH else check)(written(tmp_path, *changes))
    named = [finding for finding in report.problems if finding.stage == stage and words in finding.what]
    assert named, str(report)
    assert all(finding.fix for finding in report.problems)


BLOCK = """    @block_density
    def log_density(x, log_density, gradient, data):
        for chain in range(x.shape[0]):
            log_density[chain] = 0.0
            for i in range(3):
                gradient[chain, i] = -x[chain, i]
                log_density[chain] -= 0.5 * x[chain, i] ** 2
"""
HEAD = "    @point_density\n    def log_density(x, gradient, data):\n" + POINT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- = ", "- = ", ""),
        (
            "gradient[chain, i] = -x[chain, i]",
            "gradient[chain, i] = -x[chain, i]\n                log_density[chain] += 1e-3 * x[0, 0]",
            "chains of a block are not for themselves",
        ),
        ("log_density[chain] = 0.0\n", "log_density[chain] += 0.0\n", "log_density is not written"),
        (
            "x[chain, i] ** 2\n",
            "x[chain, i] ** 2\n            if np.isnan(x).any():\n                log_density[chain] = np.nan\n",
            "spoils the other chains",
        ),
        (
            "x[chain, i] ** 2\n",
            "x[chain, i] ** 2\n            if log_density[chain] != log_density[chain]:\n                log_density[chain] = -1.0\n",
            "a point of NaN has a finite log density",
        ),
    ],
)
def test_faults_of_a_block_are_named(tmp_path, old, new, words):
    block = BLOCK if not words else BLOCK.replace(old, new, 1)
    report = check(written(tmp_path, (HEAD, block)))
    if not words:
        assert report.problems == [], str(report)
    else:
        assert any(finding.stage == "contract" and words in finding.what for finding in report.problems), str(report)


LOOP = "while x[0] > {0}:\n            gradient[0] += 0.0\n        return -0.5"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "stage"), [("-1e9", "finite at the starts"), ("1.9", "finite at the starts"), ("30.0", "corners")]
)
def test_an_infinite_loop_is_ended_and_named(tmp_path, condition, stage):
    report = check_in_process(written(tmp_path, ("return -0.5", LOOP.format(condition))), time_limit=4.0)
    (found,) = [finding for finding in report.problems if finding.stage == stage]
    assert "did not return within 4 s at the point [" in found.what
    assert "loop" in found.fix


def test_a_crash_of_compiled_code_is_named(tmp_path):
    """Writes far beyond an array end the process, sooner or later: here at once."""
    report = check_in_process(written(tmp_path, ("return -0.5", "gradient[400_000_000] = 1.0\n        return -0.5")))
    assert any("the process died at the point [" in finding.what for finding in report.problems), str(report)
    assert [finding.verdict for finding in report.findings if finding.stage == "gradient"] == ["skipped"]


def test_nothing_to_check():
    with pytest.raises(CheckError, match=r"nowhere\.py: no such file"):
        check("nowhere.py")
    with pytest.raises(CheckError, match="did you mean 'banana'"):
        check("bananna")


@pytest.mark.slow
@pytest.mark.parametrize("name", list_targets()[::4])
def test_the_catalogue_has_no_problem(name):
    """Every fourth: what is checked of all is in `tests/targets/test_every_density.py`."""
    report = check(name)
    assert report.problems == [], str(report)


def call(*arguments):
    from typer.testing import CliRunner

    from mcmc_bench.cli.app import app

    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_the_command_draws_and_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path)
    outcome = call(file)
    assert outcome.exit_code == 0, outcome.output
    assert "planted: no problem found" in outcome.output
    assert (tmp_path / "planted.png").stat().st_size > 5000
    wrong = call(written(tmp_path, ("gradient[i] = -x[i]", "gradient[i] = x[i]")), "-o", tmp_path / "other.png")
    assert wrong.exit_code == 1
    assert "problem found" in wrong.output or "problems found" in wrong.output
    assert call("nowhere.py").exit_code == 2
    assert call("banana", "--time-limit", "0").exit_code == 2
    assert "did you mean 'curvature'" in call("banana", "--set", "curvatur=1").output


def test_other_kinds_of_arrays_are_noted_and_not_a_problem(tmp_path):
    """float32, and rows that are not contiguous: both are converted where they come in."""
    changed = DISPERSED.replace(
        "3.0 * generator.standard_normal((n, 3))", "np.float32(generator.standard_normal((3, n))).T"
    )
    report = check(written(tmp_path, (DISPERSED, changed)))
    assert report.problems == [], str(report)
    notes = [finding.what for finding in report.findings if finding.verdict == "note"]
    assert any("float32, not C-contiguous; it is converted" in note for note in notes), notes


def test_a_picture_that_cannot_be_written_is_no_fault_of_the_target(tmp_path):
    report = check(written(tmp_path), picture=tmp_path / "nowhere" / "picture.png")
    assert report.problems == []
    assert "nowhere" in next(finding.what for finding in report.findings if finding.stage == "picture")


HIGH = """
    import numpy as np
    from mcmc_bench.core.target import Target, point_density

    @point_density
    def log_density(x, gradient, data):
        total = 0.0
        for i in range(500):
            gradient[i] = -x[i]
            total -= 0.5 * x[i] ** 2
        gradient[333] *= FACTOR
        return total

    def build() -> Target:
        return Target(
            dim=500, density=log_density, draw_dispersed=lambda generator, n: 3.0 * generator.standard_normal((n, 500)),
            one_point=np.ones(500),
        )
"""


@pytest.mark.slow
@pytest.mark.parametrize("factor", ["1.0", "1.01", "-1.0"])
def test_one_wrong_coordinate_among_many_is_found(tmp_path, factor):
    """No coordinate is left out, however many there are."""
    file = tmp_path / "high.py"
    file.write_text(textwrap.dedent(HIGH.replace("FACTOR", factor)))
    found = [finding.what for finding in check(file).problems if finding.stage == "gradient"]
    if factor == "1.0":
        assert found == []
    else:
        assert "wrong in coordinate 333" in found[0]
        assert "the other 499 looked at are right" in found[0]


PYTHON = """
    import numpy as np
    from mcmc_bench import from_numpy

    def log_density(x):
        BODY
        return -0.5 * float(x @ x), -x

    def build():
        return from_numpy(log_density, dim=2, one_point=np.ones(2))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise KeyError('no such key')", "raised at the point ["),
        ("while x[0] > 1.5: pass", "did not return within 4 s at the point ["),
    ],
)
def test_a_python_density_that_raises_or_loops_is_named(tmp_path, body, words):
    file = tmp_path / "python_density.py"
    file.write_text(textwrap.dedent(PYTHON.replace("BODY", body)))
    problems = check_in_process(file, time_limit=4.0).problems
    assert any(words in finding.what and finding.stage == "finite at the starts" for finding in problems), problems
    if "raise" in body:
        assert any("KeyError: 'no such key'" in finding.what for finding in problems)
