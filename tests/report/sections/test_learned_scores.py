"""Fields and errors of learned scores on the page: made-up curves, and arrows whose geometry is known."""

import dataclasses

import numpy as np
import pytest
from made_up_results import TWO_MODES, made_up

from mcmc_bench.core.results import Results
from mcmc_bench.report import write_report
from mcmc_bench.report.sections.learned_scores import LEARNED, MEMORISED, arrows, comparisons

SIGMA = [0.125, 1.0, 8.0]


def curves(excess=-0.5, lowest=0.125):
    """A learned loss of 0.5 at every σ, and a counterpart's that is higher by −`excess` at the first and last."""
    found = {"sigma": [lowest, 1.0, 8.0], "correlation": [0.875, 0.96875, 1.0], "training_error": [0.25, 0.125, 0.0625]}
    for key, values in (
        ("error", [0.5, 0.25, 0.125]),
        ("loss", [0.5] * 3),
        ("counterpart_loss", [0.5 - excess, 0.5, 0.5 + excess]),
        ("excess_loss", [excess, 0.0, -excess]),
    ):
        found |= {
            key: values,
            f"{key}_low": [v - 0.015625 for v in values],
            f"{key}_high": [v + 0.015625 for v in values],
        }
    return found


@pytest.fixture
def learned_results(tmp_path):
    """The made-up results, their planar target as one that was learned, with fields."""

    def make(is_source, score_error=None):
        folder = tmp_path / f"results-{is_source}"
        results = made_up(folder)
        facts = dataclasses.replace(
            results.targets[TWO_MODES],
            counterpart="exact_modes",
            counterpart_is_source=is_source,
            score_error=score_error or curves(),
        )
        results.targets[TWO_MODES] = facts
        stored = dict(np.load(folder / "targets" / f"{facts.key}.npz"))
        axis = np.linspace(-3.0, 3.0, 6)
        x, y = np.meshgrid(axis, axis)
        field = np.stack([-np.stack([x, y], axis=-1)] * 2)
        density = np.stack([-0.5 * (x**2 + y**2)] * 2)
        np.savez(
            folder / "targets" / f"{facts.key}.npz",
            **stored,
            field_sigma=[0.125, 1.0],
            field_x=axis,
            field_y=axis,
            field_learned=field,
            field_true=field,
            density_x=axis,
            density_y=axis,
            density_learned=density,
            density_true=density,
        )
        return results

    return make


def test_stored_and_read_again(learned_results, tmp_path):
    results = learned_results(True)
    results.save(tmp_path)
    again = Results.load(tmp_path)
    assert again.targets[TWO_MODES] == results.targets[TWO_MODES]
    assert next(facts for label, facts in again.targets.items() if label != TWO_MODES).score_error is None


def test_against_the_source(learned_results):
    (one,) = comparisons(learned_results(True))
    assert [sigma for sigma, _, _ in one.pairs] == [0.125, 1.0]
    said = " ".join(one.sentences)
    assert "draws of exact_modes" in said
    assert "relative squared error of the learned score is 0.500 (0.484–0.516) at σ = 0.125" in said
    assert "memoris" not in said
    assert all(series.kind != "dashed" for chart in one.curves for series in chart.series)


def test_against_the_training_examples(learned_results):
    (one,) = comparisons(learned_results(False, curves(excess=-0.25)))
    said = " ".join(one.sentences)
    assert "not the truth for held-out data" in said
    assert "At 1 of 3 noise levels, σ = 0.125, it is better than none, and the learned one is better still" in said
    assert "At 1 of 3 noise levels, σ = 8, the learned one leaves more" in said
    assert "worse than none" not in said
    assert {series.colour for series in one.curves[1].series} == {LEARNED, MEMORISED}
    worse = " ".join(comparisons(learned_results(False, curves(excess=0.0)))[0].sentences)
    assert "better" not in worse
    assert "leaves more" not in worse, "what cannot be told apart is not said to differ"


def test_a_memoriser_that_is_worse_than_nothing_proves_nothing(learned_results):
    said = " ".join(comparisons(learned_results(False, curves(excess=-1.0)))[0].sentences)
    assert "At 1 of 3 noise levels, σ = 0.125, the memorising denoiser is worse than none." in said
    assert "learned more" not in said


def test_noise_levels_with_a_gap_are_no_range(learned_results):
    found = curves(excess=-0.25)
    for key in ("counterpart_loss", "excess_loss"):
        for end in ("", "_low", "_high"):
            found[key + end][2] = found[key + end][0]
    said = " ".join(comparisons(learned_results(False, found))[0].sentences)
    assert "At 2 of 3 noise levels it is better than none" in said
    for key in ("counterpart_loss", "excess_loss"):
        for end in ("", "_low", "_high"):
            found[key + end][1] = found[key + end][0]
    said = " ".join(comparisons(learned_results(False, found))[0].sentences)
    assert "At 3 of 3 noise levels, σ = 0.125 to 8, it is better than none" in said


def test_one_of_each_family(learned_results):
    """Several noise levels of one learned target: the lowest, whose curves hold those of the others."""
    results = learned_results(True)
    other = dataclasses.replace(results.targets[TWO_MODES], key="ff", score_error=curves(lowest=0.5))
    results.targets = {"two_modes(sigma=0.5)": other, **results.targets}
    (one,) = comparisons(results)
    assert one.target == TWO_MODES


def test_page_and_figure(learned_results, tmp_path):
    results = learned_results(True)
    page = write_report(results, tmp_path / "page").read_text()
    assert '<section id="learned-scores">' in page
    assert page.count("the learned one</figcaption>") == page.count("the true score</figcaption>") == 2
    assert (tmp_path / "page" / "figures" / "field_two-modes.png").stat().st_size > 1000
    plain = write_report(made_up(tmp_path / "plain"), tmp_path / "plain").read_text()
    assert 'id="learned-scores"' not in plain


def test_arrows_point_along_their_vectors():
    axis = np.array([0.0, 1.0])
    vectors = np.array([[[3.0, 0.0], [0.0, -1.0]], [[0.0, 0.0], [1e6, 1e6]]])
    x, y = arrows(axis, axis, vectors)
    pieces, piece = [], []
    for a, b in zip(x, y, strict=True):
        if b is None:
            pieces.append(np.array(piece))
            piece = []
        else:
            piece.append((a, b))
    assert len(pieces) == 3  # nothing is drawn for nothing
    for points, centre, direction, norm in zip(
        pieces, [(0, 0), (1, 0), (1, 1)], [(1, 0), (0, -1), (1, 1)], [3.0, 1.0, 1e6 * np.sqrt(2.0)], strict=True
    ):
        tail, tip = points[0], points[1]
        np.testing.assert_allclose(0.5 * (tail + tip), centre, atol=1e-12)
        np.testing.assert_allclose(
            (tip - tail) / np.linalg.norm(tip - tail), direction / np.linalg.norm(direction), atol=1e-12
        )
        assert np.linalg.norm(tip - tail) == pytest.approx(1.05 * norm / (1.0 + norm))
        assert np.linalg.norm(points[2] - points[4]) < np.linalg.norm(tip - tail)  # a head, narrower than it is long
