"""Finding targets and samplers, and what is said when they cannot be found or loaded."""

import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import mcmc_bench
from mcmc_bench.catalog import files
from mcmc_bench.catalog.files import CatalogError, list_samplers, list_targets, load_sampler, load_target
from mcmc_bench.core.target import Modes, Target, Truth

MINIMAL = """
    import numpy as np
    from mcmc_bench.core.target import Target, point_density

    @point_density
    def log_density(x, gradient, data):
        gradient[0] = -x[0]
        return -0.5 * x[0] ** 2

    def build(width: float = 1.0) -> Target:
        if width <= 0:
            raise ValueError(f"width = {width} must be greater than 0")
        return Target(
            dim=1, density=log_density, draw_dispersed=lambda generator, n: np.zeros((n, 1)), one_point=np.zeros(1)
        )
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(textwrap.dedent(MINIMAL))
    return tmp_path


def test_every_file_is_an_entry():
    for name in list_targets():
        target = load_target(name)
        assert target.name == name
        assert target.parameters == {}
    for name in list_samplers():
        assert load_sampler(name).name == name


def test_a_folder_of_ones_own_is_searched_first(folder):
    (folder / "gaussian.py").write_text(textwrap.dedent(MINIMAL))
    assert "mine" in list_targets((folder,))
    assert load_target("gaussian", targets_folder=folder).dim == 1
    assert load_target("gaussian").dim == 10
    mine = load_target("mine", targets_folder=folder, width=2.0)
    assert mine.label == "mine(width=2.0)"
    assert mine.log_density_and_gradient(np.array([3.0]))[0][0] == -4.5


def test_files_of_a_folder_may_import_each_other(folder):
    (folder / "_helper.py").write_text("DIM = 1\n")
    (folder / "other.py").write_text("from ._helper import DIM\nfrom .mine import build\n")
    assert load_target("other", targets_folder=folder).dim == 1
    assert "_helper" not in list_targets((folder,))


def test_loading_makes_no_name_importable(folder):
    load_target("mine", targets_folder=folder)
    load_target("gaussian")
    assert "mine" not in sys.modules
    assert "gaussian" not in sys.modules
    assert "targets" not in sys.modules


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("gausian", {}, "unknown target: 'gausian'; did you mean 'gaussian'"),
        ("gaussian", {"dimm": 3}, "unknown parameter of target gaussian: 'dimm'; did you mean 'dim'"),
        (
            "gaussian",
            {"condition": 0.5},
            "target gaussian cannot be built .* condition = 0.5 must be finite and at least 1",
        ),
        ("gaussian", {"dim": "ten"}, "target gaussian cannot be built"),
    ],
)
def test_names_what_is_wrong(name, parameters, message):
    with pytest.raises(CatalogError, match=message):
        load_target(name, **parameters)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def build(:\n", r"broken.py cannot be loaded: SyntaxError"),
        ("import no_such_module\n", r"broken.py cannot be loaded: ModuleNotFoundError"),
        ("import sys\nsys.exit(0)\n", r"broken.py cannot be loaded: SystemExit"),
        ("x = 1\n", r"has no function build\(\)"),
        ("def build():\n    return 3\n", "returned a int, not a Target"),
    ],
)
def test_a_file_that_cannot_be_loaded(tmp_path, source, message):
    (tmp_path / "broken.py").write_text(source)
    with pytest.raises(CatalogError, match=message):
        load_target("broken", targets_folder=tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CatalogError, match="no such folder"):
        load_target("gaussian", targets_folder=tmp_path / "nowhere")


def test_unknown_sampler():
    with pytest.raises(CatalogError, match="unknown sampler: 'hmcc'; did you mean 'hmc'"):
        load_sampler("hmcc")


def test_content_carried_by_a_wheel_comes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_PACKAGE", tmp_path / "mcmc_bench")
    with pytest.raises(CatalogError, match="no folder of built-in targets"):
        files.content_folder("targets")
    (tmp_path / "targets").mkdir()
    assert files.content_folder("targets") == tmp_path / "targets"
    (tmp_path / "mcmc_bench" / "content" / "targets").mkdir(parents=True)
    assert files.content_folder("targets") == tmp_path / "mcmc_bench" / "content" / "targets"


def _target(**change):
    gaussian = load_target("gaussian", dim=2)
    given = {
        "dim": 2,
        "density": gaussian.density,
        "data": gaussian.data,
        "draw_dispersed": gaussian.draw_dispersed,
        "one_point": np.zeros(2),
        **change,
    }
    return Target(**given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 0}, "dim must be at least 1, not 0"),
        ({"one_point": np.zeros(3)}, r"one_point must have shape \(2,\), not \(3,\)"),
        (
            {"truth": Truth("exact", np.zeros(3), np.ones(2), np.ones(2), 0.0)},
            r"truth.mean must have shape \(2,\), not \(3,\)",
        ),
        ({"modes": Modes(np.zeros((2, 2)), np.array([0.5, 0.4]))}, "modes.weights must sum to 1"),
        ({"modes": Modes(np.zeros((2, 3)), np.array([0.5, 0.5]))}, r"modes.locations must have shape \(2, 2\)"),
    ],
)
def test_a_target_that_contradicts_itself(change, message):
    with pytest.raises(ValueError, match=message):
        _target(**change)


def test_points_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"takes points of shape \(n, 2\), not \(3, 3\)"):
        _target().log_density_and_gradient(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="no exact sampler"):
        _target().starts("exact", np.random.default_rng(0), 2)


def test_modes_assign_by_nearest_location_within_a_radius():
    modes = Modes(np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([0.5, 0.5]), radius=3.0)
    points = np.array([[1.0, 1.0], [9.0, 0.0], [5.0, 0.0], [np.nan, 0.0]])
    np.testing.assert_array_equal(modes.assign(points), [0, 1, -1, -1])


def sampler_source():
    return (Path(mcmc_bench.__path__[0]) / "samplers" / "mala.py").read_text()


@pytest.mark.parametrize("single", [True, False])
def test_samplers_of_a_user(tmp_path, single):
    """A file or a folder; a name that is built in is hidden, helpers that begin with an underscore are not listed."""
    file = tmp_path / "mala.py"
    file.write_text(sampler_source().replace('source="Besag', 'source="Mine, after Besag'))
    (tmp_path / "_helper.py").write_text("")
    given = file if single else tmp_path
    assert load_sampler("mala", samplers_folder=given).source.startswith("Mine")
    assert load_sampler("mala").source.startswith("Besag")
    assert list_samplers(given) == list_samplers()


def test_samplers_that_cannot_be_loaded(tmp_path):
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("import nothing_of_the_kind")
    for name, message in (
        ("empty", "has no SAMPLER"),
        ("broken", "nothing_of_the_kind"),
        ("maala", "did you mean 'mala'"),
    ):
        with pytest.raises(CatalogError, match=message):
            load_sampler(name, samplers_folder=tmp_path)
    for wrong in ("absent", "empty.txt"):
        with pytest.raises(CatalogError, match="no such folder or Python file"):
            list_samplers(tmp_path / wrong)


def test_targets_of_an_installed_package_are_found_by_its_entry_point(tmp_path, monkeypatch):
    """A wheel names the package that holds its target files; another folder still hides a name of it."""
    package = tmp_path / "site" / "others_targets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "theirs.py").write_text(textwrap.dedent(MINIMAL))
    information = tmp_path / "site" / "others-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[mcmc_bench.targets]\nothers = others_targets\n")
    assert "theirs" not in list_targets()
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert "theirs" in list_targets()
    assert load_target("theirs", width=2.0).label == "theirs(width=2.0)"
    assert load_target("banana").dim == 2
