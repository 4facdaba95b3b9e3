"""Separate verdicts, one Holm family over a suite, and ranks only for what is right."""

from __future__ import annotations

import numpy as np

from mcmc_bench import metrics
from mcmc_bench.catalog.files import load_target
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell
from mcmc_bench.core.target import Target

from .conftest import autoregressive, evaluate, independent, make_draws


def cell(target: Target, replicates: list[Draws], name: str, kind: str = "exact", **changes: object) -> Cell:
    made = Cell(
        id=name,
        experiment="tests",
        target=target.label,
        sampler=name,
        sampler_kind=kind,
        settings={},
        start="dispersed",
        budget=replicates[0].transitions,
        warmup_share=0.0,
        chains=replicates[0].chains,
        replicates=len(replicates),
        selected=True,
        sweep="sweep",
        metric_values=list(evaluate(target, replicates).values()),
        stopped_chains=sum(int((draws.stopped_at >= 0).sum()) for draws in replicates),
    )
    for key, value in changes.items():
        setattr(made, key, value)
    return made


def judged(*cells: Cell) -> list[dict[str, str]]:
    metrics.judge(cells, metrics.definitions())
    for one in cells:
        assert list(one.verdicts) == list(metrics.verdict_definitions())
        assert all(judgement.because for judgement in one.verdicts.values())
    return [{key: judgement.verdict for key, judgement in one.verdicts.items()} for one in cells]


def test_each_fixture_fails_what_is_wrong_with_it_and_only_that(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    """Right draws fail nothing: the test for bias is a family at 5 %, the rest are intervals far inside their bounds."""
    names = list(spoiled)
    verdicts = dict(zip(names, judged(*[cell(toy, spoiled[name], name) for name in names]), strict=True))
    failures = {name: {key for key, value in one.items() if value == "fail"} for name, one in verdicts.items()}
    assert failures["independent"] == set()
    assert verdicts["independent"]["unbiased"] == "pass"
    assert failures["collapsed"] >= {"spread", "unbiased"}
    assert failures["one mode missed"] == {"all_modes", "weights", "unbiased", "diagnostics_honest"}
    assert failures["reweighted"] == {"weights", "unbiased", "diagnostics_honest"}
    assert failures["inflated"] >= {"spread", "unbiased"}
    assert "weights" not in failures["inflated"]
    assert failures["junk"] >= {"weights", "spread", "unbiased", "diagnostics_honest"}
    assert {one["efficiency"] for name, one in verdicts.items() if name != "independent"} == {"not applicable"}


def test_only_what_is_right_is_ranked() -> None:
    """Twice the variance without correlation would win by ESS; it is not ranked, and neither is the oracle."""
    target = load_target("gaussian", dim=2)
    fast = [make_draws(target, autoregressive(0.3, "rank", r, draws=800)) for r in range(4)]
    slow = [make_draws(target, autoregressive(0.8, "rank", r, draws=800)) for r in range(4)]
    wrong = [make_draws(target, np.sqrt(2.0) * independent(target, "rank", r, draws=800)) for r in range(4)]
    right = [make_draws(target, independent(target, "right", r, draws=800)) for r in range(4)]
    cells = [
        cell(target, slow, "slow"),
        cell(target, fast, "fast"),
        cell(target, wrong, "wrong", "biased"),
        cell(target, right, "oracle", "oracle"),
        cell(target, fast, "not selected", selected=False),
        cell(target, fast, "elsewhere", start="one_point"),
    ]
    verdicts = judged(*cells)
    unswept = cell(target, fast, "one setting", sweep=None)
    assert judged(unswept)[0]["efficiency"] == "not applicable"
    tuned = cell(target, fast, "tuned", sweep=None, tuned={"step_size": [0.1] * 4})
    assert judged(tuned)[0]["efficiency"] == "pass"
    cost = {"tuning_evaluations": 300.0}
    tunes_itself = cell(target, fast, "of another library", sweep=None, cost=cost, tunes_itself=True)
    assert judged(tunes_itself)[0]["efficiency"] == "pass"
    assert "300 evaluations of tuning" in tunes_itself.verdicts["efficiency"].because
    nothing_to_tune = cell(target, fast, "settings of the suite", sweep=None, cost=cost)  # but our tuning has looked
    assert judged(nothing_to_tune)[0]["efficiency"] == "not applicable"
    assert [one["efficiency"] for one in verdicts] == [
        "pass",
        "pass",
        "not applicable",
        "not applicable",
        "not applicable",
        "pass",
    ]
    because = [one.verdicts["efficiency"].because for one in cells]
    assert because[0].startswith("number 2 of 2")
    assert because[1].startswith("number 1 of 2")
    assert "fails unbiased" in because[2]
    assert because[5].startswith("number 1 of 1")
    assert [one["exact_kernel"] for one in verdicts[:4]] == ["pass", "pass", "fail", "pass"]
    assert verdicts[2]["diagnostics_honest"] == "fail"
    assert verdicts[0]["weights"] == "not applicable"


def test_a_kernel_is_exact_at_temperature_one_only() -> None:
    target = load_target("gaussian", dim=2)
    draws = [make_draws(target, independent(target, "hot", r)) for r in range(2)]
    assert judged(cell(target, draws, "hot", settings={"temperature": 0.5}))[0]["exact_kernel"] == "fail"
    assert judged(cell(target, draws, "right", settings={"temperature": 1.0}))[0]["exact_kernel"] == "pass"
    assert judged(cell(target, draws, "ascent", "optimiser"))[0]["exact_kernel"] == "fail"


def test_no_power_is_no_verdict() -> None:
    """A few short chains, or one replicate: inconclusive, neither pass nor fail, and not ranked."""
    target = load_target("gaussian", dim=2)
    few = [make_draws(target, independent(target, "few", r, chains=4, draws=20)) for r in range(2)]
    one = [make_draws(target, independent(target, "one", chains=4, draws=400))]
    for verdict in judged(cell(target, few, "few"), cell(target, one, "one")):
        assert verdict["unbiased"] == "inconclusive"
        assert verdict["efficiency"] == "inconclusive"


def test_what_a_suite_does_not_measure_is_no_open_question() -> None:
    """Without the group of modes, weights and spread are not asked for, and do not keep a cell from its rank."""
    target = load_target("gaussian", dim=2)
    draws = [make_draws(target, autoregressive(0.3, "rank", r, draws=800)) for r in range(4)]
    kept = [
        metric_value
        for metric_value in evaluate(target, draws).values()
        if metrics.definitions()[metric_value.metric].group != "modes"
    ]
    (verdict,) = judged(cell(target, draws, "no modes", metric_values=kept))
    assert {verdict[key] for key in ("all_modes", "weights", "spread")} == {"not applicable"}
    assert verdict["efficiency"] == "pass"


def test_chains_that_left_fail_and_cells_without_numbers_are_said_to_be() -> None:
    target = load_target("gaussian", dim=2)
    position = independent(target, "left", chains=8)
    position[0, 100:] = np.nan
    left = cell(target, [make_draws(target, position)] * 2, "left")
    raised = cell(
        target,
        [make_draws(target, position)],
        "raised",
        outcome=Outcome.RAISED,
        message="KeyError: 'a'",
        metric_values=[],
    )
    excluded = cell(
        target, [make_draws(target, position)], "excluded", outcome=Outcome.NOT_APPLICABLE, metric_values=[]
    )
    verdicts = judged(left, raised, excluded)
    assert verdicts[0]["unbiased"] == verdicts[0]["spread"] == "fail"
    assert "2 of 16 chains became non-finite" in left.verdicts["unbiased"].because
    assert set(verdicts[1].values()) == {"inconclusive"}
    assert "KeyError" in raised.verdicts["unbiased"].because
    assert set(verdicts[2].values()) == {"not applicable"}


def test_one_family_over_the_suite(toy: Target, spoiled: dict[str, list[Draws]]) -> None:
    """A p-value of 1 % alone is a bias; among a hundred cells it is what chance gives."""
    cells = [cell(toy, spoiled["independent"], "one")]
    metric_value = cells[0].metric("calibration_p_value")
    assert metric_value is not None
    metric_value.value = 0.01
    assert judged(cells[0])[0]["unbiased"] == "fail"
    others = []
    for k in range(99):
        other = Cell(
            **{
                **vars(cells[0]),
                "id": f"other {k}",
                "metric_values": [type(metric_value)(**vars(r)) for r in cells[0].metric_values],
            }
        )
        other.metric("calibration_p_value").value = 0.5  # type: ignore[union-attr]
        others.append(other)
    assert judged(cells[0], *others)[0]["unbiased"] == "pass"
