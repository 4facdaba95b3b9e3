"""Suites: what a file becomes, and that every mistake in it is named before anything runs."""

import copy
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcmc_bench.catalog.files import CatalogError, list_samplers, list_targets, suite_files
from mcmc_bench.experiments.suite import SuiteReader, list_suites, load_suite
from mcmc_bench.experiments.toml_reader import SuiteError

GOOD = """
[suite]
title = "A suite"
budget = 500
chains = 4
replicates = 2

[[experiment]]
name = "main"
title = "The main part"
start = ["dispersed", "exact"]
targets = ["banana", { name = "gaussian", dim = 2, budget = 700 }]
samplers = [
  { name = "mala", step_size = [0.1, 0.2] },
  { name = "hmc", step_size = 0.3, num_integration_steps = 5, inverse_mass_matrix = [1.0, 1.0] },
  { name = "oracle" },
]
"""


@pytest.fixture
def write(tmp_path):
    def go(text, name="mine.toml"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return go


def test_all_stands_for_everything(write):
    text = GOOD.split("targets", maxsplit=1)[0] + 'targets = "all"\nsamplers = "all"\ntuning = 100\n'
    cells = load_suite(write(text)).cells
    assert len(cells) == 2 * len(list_targets()) * len(list_samplers())
    assert {cell.tuning for cell in cells} == {100}


def test_without_tuning_a_cell_matches_what_it_was_before_there_was_any(write):
    """The hash by which runs are compared: settings that only tuning looks at do not change it."""
    plain = load_suite(write(GOOD)).cells
    other = load_suite(write(GOOD.replace("budget = 500", 'budget = 500\nmass_matrix = "dense"'))).cells
    assert [cell.match for cell in plain] == [cell.match for cell in other]
    tuned = load_suite(write(GOOD.replace("budget = 500", "budget = 500\ntuning = 10"))).cells
    assert not {cell.match for cell in plain} & {cell.match for cell in tuned}


@pytest.mark.parametrize("name", sorted(suite_files()))
def test_every_shipped_suite_loads(name):
    suite = load_suite(name)
    assert suite.cells
    assert list_suites()[name] == suite.title
    assert {cell.experiment for cell in suite.cells} == set(suite.experiments)


def test_the_noise_suite_holds_the_experiment():
    """Five targets, five samplers, the dial's six temperatures, both starts, equal sweeps."""
    suite = load_suite("noise")
    assert {cell.target for cell in suite.cells} == {
        "song_ermon",
        "ring_of_8",
        "gaussian",
        "banana",
        "breast_cancer_logistic",
    }
    assert {cell.sampler for cell in suite.cells} == {"gradient_ascent", "ula", "mala", "hmc", "oracle"}
    for sampler in ("ula", "mala"):
        dial = [cell for cell in suite.cells if cell.sampler == sampler and cell.swept == ("temperature",)]
        assert {cell.settings["temperature"] for cell in dial} == {0, 0.1, 0.25, 0.5, 1, 2}
    assert {cell.start for cell in suite.cells} == {"dispersed", "one_point"}
    sweeps = {}
    for cell in suite.cells:
        if cell.sweep is not None:
            sweeps[cell.sweep] = sweeps.get(cell.sweep, 0) + 1
    assert set(sweeps.values()) == {4}


def test_sweeps_targets_and_starts_are_multiplied_out(write):
    suite = load_suite(write(GOOD))
    assert len(suite.cells) == 2 * 2 * (2 + 1 + 1)
    swept = [cell for cell in suite.cells if cell.swept]
    assert {cell.settings["step_size"] for cell in swept} == {0.1, 0.2}
    assert len({cell.sweep for cell in swept}) == 4  # one for each target and start
    assert {cell.budget for cell in suite.cells if cell.target == "gaussian"} == {700}
    assert {cell.budget for cell in suite.cells if cell.target == "banana"} == {500}
    assert {cell.target_label for cell in suite.cells} == {"banana", "gaussian(dim=2)"}
    assert {cell.seed for cell in suite.cells} == {"mine"}
    assert {cell.seed for cell in load_suite(write(GOOD), seed=7).cells} == {"7"}


def test_identity_is_of_what_determines_the_numbers(write):
    first = load_suite(write(GOOD)).cells
    assert len({cell.identity("s") for cell in first}) == len(first)
    later = load_suite(write(GOOD.replace('title = "A suite"', 'title = "A suite"\ntime_limit = 5'))).cells
    assert [cell.identity("s") for cell in later] == [cell.identity("s") for cell in first]
    assert first[0].identity("s") != first[0].identity("other sources")
    more = load_suite(write(GOOD.replace("budget = 500", "budget = 501"))).cells
    assert more[0].identity("s") != first[0].identity("s")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("budget = 500", "budgett = 500", "suite.budgett: unknown key: 'budgett'; did you mean 'budget'"),
        ("budget = 500", "budget = 0", "suite.*budget: 0 must be a whole number, at least 2"),
        pytest.param("budget = 500", "budget = 1" + "0" * 400, "budget: a number of 401 digits", id="beyond floats"),
        ("budget = 500", "budget = 1.5", "budget: 1.5 must be a whole number"),
        ("budget = 500", "warmup_share = 1.0", "warmup_share: 1.0 must be a number from 0 to below 1"),
        ("budget = 500", "warmup_share = nan", "warmup_share: nan must be a number"),
        ("budget = 500", "time_limit = 0", "time_limit: 0 must be a number"),
        ("budget = 500", 'metrics = ["mode"]', "metrics: unknown entry of metrics: 'mode'; did you mean 'modes'"),
        ("chains = 4", "chains = true", "chains: True must be a whole number"),
        ("replicates = 2", "replicates = -1", "replicates: -1 must be a whole number, at least 1"),
        ('title = "A suite"', "", "suite.title: is missing"),
        ('title = "The main part"', "titel = 1", "experiment 'main'.titel: unknown key: 'titel'; did you mean 'title'"),
        ('"exact"]', '"exactly"]', "start: unknown entry of start: 'exactly'; did you mean 'exact'"),
        ('"banana"', '"bananna"', "targets: unknown target: 'bananna'; did you mean 'banana'"),
        ("dim = 2", "dimm = 2", "targets: unknown parameter of target gaussian: 'dimm'; did you mean 'dim'"),
        ('{ name = "oracle" }', '"orakel"', "samplers: unknown sampler: 'orakel'; did you mean 'oracle'"),
        ('{ name = "oracle" }', '"oracle", "oracle"', "the same cell stands twice: banana · oracle"),
        ("step_size = 0.3", "step_sise = 0.3", "unknown setting of hmc: 'step_sise'; did you mean 'step_size'"),
        ("step_size = 0.3", "step_size = -0.3", "hmc: step_size = -0.3 must be greater than 0"),
        ("step_size = [0.1, 0.2]", "step_size = []", "mala: step_size is an empty list"),
        ("step_size = [0.1, 0.2]", 'step_size = ["a"]', "mala: step_size = 'a' is not a number"),
        ("num_integration_steps = 5", "num_integration_steps = 1000", "budget of 500 evaluations leaves no transition"),
        ('{ name = "mala", ', '{ name = "ula", inverse_mass_matrix = [1.0], ', "ula takes none"),
        ("inverse_mass_matrix = [1.0, 1.0]", 'inverse_mass_matrix = ["a"]', "inverse_mass_matrix"),
        ("budget = 500", "seed = true", "suite.seed: True must be a text"),
        ("dim = 2", "dim = 0", "targets: target gaussian cannot be built with"),
        ("inverse_mass_matrix = [1.0, 1.0]", f"inverse_mass_matrix = [1.0, {10**400}]", "below 1e\\+12"),
        ("inverse_mass_matrix = [1.0, 1.0]", "inverse_mass_matrix = [1.0]", "has 1 numbers; banana has 2 dimensions"),
        ('name = "oracle"', 'nmae = "oracle"', "name: is missing; give name = \"…\" instead of 'nmae'"),
        ("dim = 2", "dim = 2020-01-01", "gaussian: dim = 2020-01-01 must be numbers"),
        ("[[experiment]]", "[[experimentt]]", "unknown key: 'experimentt'"),
        ("budget = 500", "tuning = -1", "tuning: -1 must be a whole number, at least 0"),
        ("budget = 500", 'mass_matrix = "full"', "mass_matrix: unknown entry of mass_matrix: 'full'"),
        ('targets = ["banana"', 'targets = "al" #', 'must be "all", or a list'),
        ("[suite]", "[suit]", "unknown key: 'suit'; did you mean 'suite'"),
    ],
)
def test_every_mistake_is_named(write, right, wrong, message):
    assert GOOD.count(right) == 1, right
    with pytest.raises(SuiteError, match=message) as raised:
        load_suite(write(GOOD.replace(right, wrong)))
    assert str(raised.value).startswith("mine.toml")


def test_files_that_are_no_suites(write, tmp_path):
    for text, message in (
        ("[suite\n", "cannot be read as TOML"),
        ("a = " + "1" * 5000, "cannot be read as TOML"),  # more digits than Python reads
        ("a = " + "[" * 5000, "cannot be read as TOML"),  # deeper than Python goes
        ("", r"has no table \[suite\]"),
    ):
        with pytest.raises(SuiteError, match=message):
            load_suite(write(text))
    (tmp_path / "latin.toml").write_bytes(b'[suite]\ntitle = "\xe9"\n')
    with pytest.raises(SuiteError, match="cannot be read as TOML"):
        load_suite(tmp_path / "latin.toml")
    with pytest.raises(SuiteError, match="is a folder; give the path of a TOML file"):
        load_suite(tmp_path)
    with pytest.raises(
        SuiteError,
        match="no such file; built-in suites: catalogue, conditioning, dimension, fashion, images, "
        "multimodal, noise, smoke, standard, step_size",
    ):
        load_suite(tmp_path / "nowhere.toml")
    with pytest.raises(SuiteError, match="unknown suite: 'noize'; did you mean 'noise'"):
        load_suite("noize")


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.just(10**400),
    st.dates(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def _places(value, path=()):
    """Paths of everything in a nested structure."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _places(item, (*path, key))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), junk=JUNK)
def test_junk_anywhere_is_a_suite_error_and_nothing_else(data, junk):
    """One value of a good suite replaced by anything at all: the suite loads, or the error is the one for users."""
    content = tomllib.loads(GOOD)
    path = data.draw(st.sampled_from(list(_places(content))))
    broken = copy.deepcopy(content)
    inner = broken
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    try:
        suite = SuiteReader("junk.toml").suite(broken, "junk", "", None)
    except (SuiteError, CatalogError):  # a CatalogError becomes a SuiteError one floor up
        return
    assert suite.cells


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), letter=st.sampled_from("aeqz_"))
def test_a_misspelt_key_anywhere_is_named(data, letter):
    """One letter of one key replaced: never another key, always a SuiteError, with the wrong key and the right one."""
    content = tomllib.loads(GOOD)
    path = data.draw(st.sampled_from([path for path in _places(content) if isinstance(path[-1], str)]))
    right = path[-1]
    position = data.draw(st.integers(0, len(right) - 1))
    wrong = right[:position] + letter + right[position + 1 :]
    if wrong == right:
        return
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[wrong] = inner.pop(right)
    with pytest.raises(SuiteError) as raised:
        SuiteReader("keys.toml").suite(content, "keys", "", None)
    assert repr(wrong) in str(raised.value)
    assert right in str(raised.value)


def test_a_target_may_bring_samplers_and_limits_of_its_own(write):
    entry = '{ name = "gaussian", dim = 2, budget = 700, chains = 3, start = "one_point", samplers = ["ula"] }'
    suite = load_suite(write(GOOD.replace('{ name = "gaussian", dim = 2, budget = 700 }', entry)))
    (cell,) = (cell for cell in suite.cells if cell.target == "gaussian")
    assert (cell.sampler, cell.budget, cell.chains, cell.start) == ("ula", 700, 3, "one_point")
    assert {cell.sampler for cell in suite.cells if cell.target == "banana"} == {"mala", "hmc", "oracle"}
