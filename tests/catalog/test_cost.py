"""What an evaluation costs: measured, remembered, measured again where the memory is gone or spoilt."""

import dataclasses

import numpy as np
import pytest
from typer.testing import CliRunner

from mcmc_bench.catalog import cost
from mcmc_bench.catalog.files import load_target
from mcmc_bench.cli.app import app
from mcmc_bench.core.target import BLOCK_CHAINS


def test_costs_are_of_the_right_order():
    """No time is asserted but that a matrix of a million entries costs more than three numbers."""
    small, large = cost.nanoseconds(load_target("donut")), cost.nanoseconds(load_target("gaussian_1000"))
    assert 0 < small < large


def test_a_cost_is_that_of_a_block_as_large_as_chains_move_in():
    """64 chains of `fashion` move in lock-step, and its matrix products are cheaper so."""
    asked = []

    def dispersed(generator, n):
        asked.append(n)
        return np.zeros((n, target.dim))

    target = dataclasses.replace(load_target("donut"), draw_dispersed=dispersed)
    for chains in (BLOCK_CHAINS, 64):
        cost.nanoseconds(dataclasses.replace(target, block_chains=chains))
    assert asked == [BLOCK_CHAINS, 64]


def test_a_cost_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("MCMC_BENCH_CACHE_DIR", str(tmp_path))
    target = load_target("donut")
    memory = cost.Memory()
    assert memory.get(target) is None
    measured = memory.measure(target)
    assert cost.Memory().get(target) == pytest.approx(measured, abs=0.1)
    (file,) = tmp_path.rglob("costs.json")
    file.write_text("{")
    assert cost.Memory().get(target) is None


@pytest.mark.parametrize(("value", "words"), [(None, "–"), (85.2, "85 ns"), (6540.0, "6.54 µs"), (2.5e6, "2.5 ms")])
def test_words(value, words):
    assert cost.words(value) == words


def listed(*arguments):
    outcome = CliRunner().invoke(app, ["list", "targets", *arguments])
    return outcome.exit_code, outcome.output


def test_the_list_is_filtered_and_sorted():
    code, out = listed("--no-cost", "--tag", "multimodal", "--sort", "dim")
    assert code == 0
    lines = [line.split("│")[1:3] for line in out.splitlines() if line.startswith("│")]
    assert "banana" not in out
    dims = [int(line[1]) for line in lines if line[1].strip()]
    assert dims == sorted(dims)
    assert len(dims) >= 8


def test_a_wrong_tag_is_named():
    code, out = listed("--tag", "multimodel")
    assert code == 2
    assert "did you mean 'multimodal'" in out
