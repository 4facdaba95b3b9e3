"""The opening sentences say what the metric values say: each test changes values and expects the sentence to change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from made_up_results import ONE_MODE, TWO_MODES

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Judgement, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.findings import noise
from mcmc_bench.report.selection import Selection


def said(results: Results) -> str:
    """Everything that the verdict says, as plain text."""
    found = noise.read(Selection(results))
    return " ".join(part.striptags() for part in (*found.sentences, *found.caution, *found.findings))


def change(results: Results, chosen: Callable[[Cell], bool], metric: str, value: float | None) -> int:
    """Set the value of `metric` in the cells that are chosen, without interval; returns how many changed."""
    values = [found for cell in results.cells if chosen(cell) for found in cell.metric_values if found.metric == metric]
    for found in values:
        found.value, found.low, found.high = value, None, None
    return len(values)


def test_the_opening_holds_the_numbers_of_the_metrics(results: Results) -> None:
    text = said(results)
    assert (
        "Without noise, 64 chains end at 2 points on two_modes; their spread within a mode is 0 times the true one."
        in text
    )
    assert "With noise, it is 1.06 (0.96–1.17) for ULA (known bias of its step size: 1.06)" in text
    assert "0.99 (0.89–1.09) for MALA." in text


def test_the_caution_holds_the_numbers_of_the_metrics(results: Results) -> None:
    text = said(results)
    assert (
        "On two_modes, the spread of ULA within each mode is right: 1.06 (0.96–1.17). The proportions of the modes are wrong"
        in text
    )
    assert "31 % (28–34 %) of its mass is in the wrong mode." in text
    assert "The true weights of the modes are 0.75 and 0.25; the shares of its draws are 0.44 and 0.56." in text
    assert "No chain changed mode" in text


@pytest.mark.parametrize(
    ("sampler", "metric", "value", "expected"),
    [
        ("gradient_ascent", "end_points", 37.0, "64 chains end at 37 points"),
        ("gradient_ascent", "within_mode_variance_ratio", 0.321, "is 0.321 times the true one"),
        ("ula", "within_mode_variance_ratio", 1.77, "1.77 for ULA"),
        ("mala", "within_mode_variance_ratio", 0.654, "0.654 for MALA"),
        ("ula", "mode_weight_error", 0.47, "47 % of its mass is in the wrong mode"),
        ("mala", "mode_weight_error", 0.53, "53 % for MALA"),
        ("ula", "modes_found", 0.5, "1 by ULA"),
        ("mala", "efficiency", 0.77, "MALA on round(dim=3) (77 %"),
    ],
)
def test_a_changed_value_changes_the_sentence(
    results: Results, sampler: str, metric: str, value: float, expected: str
) -> None:
    assert expected not in said(results)
    assert change(results, lambda cell: cell.sampler == sampler, metric, value) > 0
    assert expected in said(results)


def test_chains_that_change_mode_are_not_said_to_stay(results: Results) -> None:
    change(results, lambda cell: True, "transitions_per_1000", 0.25)
    assert "No chain changed mode" not in said(results)


def test_without_a_case_of_wrong_proportions_there_is_no_caution(results: Results) -> None:
    for cell in results.cells:
        if "weights" in cell.verdicts:
            cell.verdicts["weights"] = Judgement("inconclusive", "")
    assert noise.read(Selection(results)).caution == []


def test_wrong_spread_is_no_case_of_wrong_proportions(results: Results) -> None:
    for cell in results.cells:
        if cell.verdicts and cell.sampler in ("ula", "mala", "hmc"):
            cell.verdicts["spread"] = Judgement("fail", "")
    assert noise.read(Selection(results)).caution == []


def test_the_caution_is_chosen_by_the_metrics_and_not_by_name(results: Results) -> None:
    for cell in results.cells:  # the other target gets the modes, and the wrong weights
        cell.target = {TWO_MODES: ONE_MODE, ONE_MODE: TWO_MODES}[cell.target]
    first, second = results.targets[TWO_MODES], results.targets[ONE_MODE]
    results.targets = {TWO_MODES: replace(second, dim=2), ONE_MODE: replace(first, dim=3)}
    assert "On round(dim=3), the spread of ULA within each mode is right" in said(results)


def test_the_same_step_size_is_compared_where_it_was_run(results: Results) -> None:
    for cell in results.cells:
        if cell.sampler == "ula" and cell.experiment == "samplers":
            cell.settings = {"step_size": 0.4, "temperature": 1.0}
    headline = noise.read(Selection(results)).headline
    assert headline is not None
    assert [cell.settings["step_size"] for cell in headline.with_noise] == [0.1, 0.1]
    assert headline.with_noise[0].experiment == "dial"


def test_unseen_failures_are_counted(results: Results) -> None:
    assert "Of 8 cells with a wrong answer, R-hat and ESS looked clean in none." in said(results)
    for cell in results.cells:
        if cell.target == TWO_MODES and cell.sampler == "mala" and not cell.swept:
            cell.verdicts["diagnostics_honest"] = Judgement("fail", "")
    assert "Of 8 cells with a wrong answer, R-hat and ESS looked clean in 2: MALA on two_modes" in said(results)


def test_nothing_that_fails_is_ranked(results: Results) -> None:
    assert "as a share of what independent draws give): ULA on round(dim=3)" in said(results)
    for cell in results.cells:
        if cell.verdicts:
            cell.verdicts["efficiency"] = Judgement("not applicable", "")
    assert "No cell passes every verdict on its answer" in said(results)


def test_failed_cells_are_named(results: Results) -> None:
    text = said(results)
    assert "3 cells did not finish:" in text
    assert "HMC on round(dim=3) timed out" in text
    assert "raise time_limit or lower budget in the suite" in text


def test_without_an_optimiser_the_opening_counts(results: Results) -> None:
    results.cells = [cell for cell in results.cells if cell.sampler_kind != "optimiser"]
    assert "Of 12 cells compared here, 6 fail no verdict on their answer and 6 fail at least one." in said(results)


def test_nothing_but_failures(results: Results) -> None:
    results.cells = [cell for cell in results.cells if cell.outcome is not Outcome.FINISHED]
    assert "None of the 4 cells of these results gave numbers." in said(results)


def test_names_are_escaped(results: Results) -> None:
    for cell in results.cells:
        cell.target = cell.target.replace(TWO_MODES, "<script>x</script>")
    results.targets["<script>x</script>"] = results.targets[TWO_MODES]
    found = noise.read(Selection(results))
    text = " ".join((*found.sentences, *found.caution, *found.findings))
    assert "&lt;script&gt;" in text
    assert "<script" not in text


def test_every_number_links_to_its_cell(results: Results) -> None:
    known = {cell.id for cell in results.cells}
    found = noise.read(Selection(results))
    links = [part.split('"')[0] for text in found.sentences + found.caution for part in text.split('href="#cell-')[1:]]
    assert len(links) > 5
    assert set(links) <= known


def test_words_is_used_for_every_number(results: Results) -> None:
    found = results.cells[0].metric("within_mode_variance_ratio")
    assert found is not None
    assert numbers.in_sentence(found) == "0"
    assert numbers.with_interval(found) != "0", "the table keeps the digits that the sentence drops"
