"""Chains from elsewhere are measured like ours, however their variables are called; what does not fit is named."""

import numpy as np
import pandas
import pytest
import xarray
from typer.testing import CliRunner

from mcmc_bench import sample
from mcmc_bench.catalog.files import load_target
from mcmc_bench.cli.app import app
from mcmc_bench.cli.console import metrics_table
from mcmc_bench.core.streams import stream
from mcmc_bench.metrics import evaluate
from mcmc_bench.metrics.external_chains import read_chains


@pytest.fixture
def chains(tmp_path):
    """Writes chains of the banana, (4, 500, 2), under the names that are given."""
    x = load_target("banana").draw_exact(stream("scoring"), 2000).reshape(4, 500, 2)

    def write(variables):
        tree = xarray.DataTree.from_dict({"/posterior": xarray.Dataset(variables(x))})
        file = tmp_path / "chains.nc"
        tree.to_netcdf(file, engine="h5netcdf")
        return file

    return write


@pytest.mark.parametrize(
    "variables",
    [
        lambda x: {"x": (("chain", "draw", "dim"), x)},
        lambda x: {"theta": (("draw", "chain", "k"), x.transpose(1, 0, 2))},
        lambda x: {"a": (("chain", "draw"), x[..., 0]), "b": (("chain", "draw"), x[..., 1])},
        lambda x: {"x": (("chain", "draw"), x[..., 0]), "y": (("chain", "draw"), x[..., 1])},
    ],
)
def test_draws_are_found(chains, variables):
    target = load_target("banana")
    frame = evaluate(read_chains(chains(variables), target, evaluations=5000), target).set_index("metric")
    assert frame.loc["evaluations", "value"] == 5000
    assert frame.loc["r_hat_max", "value"] < 1.05
    # 2000 independent draws for 5000 evaluations of each of four chains: a tenth of what the oracle gives.
    assert frame.loc["bias_squared_average", "value"] < 0.02


def test_ours_are_scored_as_they_were_measured(tmp_path):
    target = load_target("gaussian", dim=3)
    tree = sample(target, "mala", draws=300, chains=4, step_size=0.5)
    tree.to_netcdf(tmp_path / "ours.nc", engine="h5netcdf")
    own = evaluate(tree, target).set_index("metric")["value"]
    assert own["sampling_seconds"] == tree.attrs["sampling_seconds"] > 0
    scored = evaluate(read_chains(tmp_path / "ours.nc", target, evaluations=301), target).set_index("metric")["value"]
    for name in ("r_hat_max", "ess_bulk_min", "bias_squared_average", "calibration"):
        assert scored[name] == pytest.approx(own[name], rel=1e-9), name


def test_what_does_not_fit_is_named(chains, tmp_path):
    target = load_target("gaussian", dim=3)
    with pytest.raises(ValueError, match="has 3 coordinates, and posterior has 2"):
        read_chains(chains(lambda x: {"x": (("chain", "draw", "dim"), x)}), target)
    with pytest.raises(ValueError, match="no variable with the dims chain and draw"):
        read_chains(chains(lambda x: {"x": (("a", "b", "dim"), x)}), target)
    with pytest.raises(ValueError, match="no such file"):
        read_chains(tmp_path / "none.nc", target)
    with pytest.raises(ValueError, match=r"chains\.nc: posterior has 4 chains of 0 draws; at least one draw"):
        read_chains(chains(lambda x: {"x": (("chain", "draw", "dim"), x[:, :0])}), target)
    with pytest.raises(ValueError, match=r"chains\.nc: the variable x of posterior does not hold numbers"):
        read_chains(chains(lambda x: {"x": (("chain", "draw", "dim"), np.full(x.shape, "a", dtype=object))}), target)
    (tmp_path / "text.nc").write_text("not netCDF")
    with pytest.raises(ValueError, match="cannot be read as netCDF"):
        read_chains(tmp_path / "text.nc", target)
    xarray.DataTree.from_dict({"/prior": xarray.Dataset({"x": (("a",), np.zeros(2))})}).to_netcdf(
        tmp_path / "prior.nc", engine="h5netcdf"
    )
    with pytest.raises(ValueError, match=r"no group posterior \(its groups: prior\)"):
        read_chains(tmp_path / "prior.nc", target)


def test_what_a_file_does_not_record_is_not_claimed(chains, tmp_path):
    target = load_target("banana")
    frame = evaluate(read_chains(chains(lambda x: {"x": (("chain", "draw", "dim"), x)}), target), target)
    found = frame.set_index("metric")
    for metric, note in (
        ("acceptance_rate", "not recorded"),
        ("divergences", "not recorded"),
        ("evaluations", "not recorded: a draw stands for one"),
        ("sampling_seconds", "not recorded"),
        ("compile_seconds", "not recorded"),
    ):
        assert np.isnan(found.loc[metric, "value"])
        assert found.loc[metric, "note"] == note
    recorded = xarray.DataTree.from_dict(
        {
            "/posterior": xarray.Dataset({"x": (("chain", "draw", "dim"), np.zeros((2, 9, 2)))}),
            "/sample_stats": xarray.Dataset({"diverging": (("chain", "draw"), np.eye(2, 9) > 0)}),
        }
    )
    recorded.to_netcdf(tmp_path / "recorded.nc", engine="h5netcdf")
    found = evaluate(read_chains(tmp_path / "recorded.nc", target), target).set_index("metric")
    assert found.loc["divergences", "value"] == 2
    assert found.loc["acceptance_rate", "note"] == "not recorded"


def test_a_lower_bound_is_shown_as_one():
    frame = pandas.DataFrame(
        {
            "metric": ["gradients_to_low_error", "evaluations"],
            "value": [500.0, 501.0],
            "floor": [20.0, np.nan],
            "note": ["", ""],
            "censored": [True, False],
        }
    )
    table = metrics_table(frame, "")
    assert list(table.columns[1].cells) == ["> 500", "501"]
    assert list(table.columns[2].cells) == ["20", "–"]


def test_the_command(chains, tmp_path):
    file = chains(lambda x: {"x": (("chain", "draw", "dim"), x)})
    table = tmp_path / "score.csv"
    done = CliRunner().invoke(
        app, ["score", str(file), "--target", "banana", "--evaluations", "2000", "--csv", str(table)]
    )
    assert done.exit_code == 0, done.output
    assert "r_hat_max" in done.output
    assert table.read_text().startswith("metric,")
    done = CliRunner().invoke(app, ["score", str(file), "--target", "banana"])
    assert "each draw counts as one" in done.output
    done = CliRunner().invoke(app, ["score", str(file), "--target", "banana", "--evaluations", "-1"])
    assert done.exit_code == 2
    assert "must be a finite number greater than 0" in done.output
    done = CliRunner().invoke(
        app, ["score", str(file), "--target", "banana", "--csv", str(tmp_path / "none" / "s.csv")]
    )
    assert done.exit_code == 2
    assert "there is no folder" in done.output
    assert "unconstrained" in CliRunner().invoke(app, ["score", "--help"]).output
