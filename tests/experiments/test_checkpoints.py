"""What a run keeps in its folder: finished cells are taken over, those of other settings go, and nobody's files."""

import pytest
from numbers_of_results import numbers

from mcmc_bench.core.files import write_atomically
from mcmc_bench.core.results import Results
from mcmc_bench.experiments import checkpoints, worker
from mcmc_bench.experiments import run as running
from mcmc_bench.experiments.run import run


def test_what_is_finished_is_not_run_again(small_suite, tmp_path, monkeypatch):
    first = run(small_suite, output=tmp_path, executor="inline")
    with monkeypatch.context() as patch:
        for job in ("compile_cell", "run_cell"):
            patch.setattr(worker, job, None)
        again = run(small_suite, output=tmp_path, executor="inline")
    assert again.provenance["resumed"] == 4
    assert numbers(again) == numbers(first)
    # A half-written checkpoint, one of another shape, a lost figure: those three cells and no others.
    (tmp_path / "cells" / f"{first.cells[0].id}.json").write_text('{"id": ')
    (tmp_path / "draws" / f"{first.cells[1].id}.npz").unlink()
    (tmp_path / "cells" / f"{first.cells[2].id}.json").write_text('{"metric_values": [], "verdicts": []}')
    resumed = run(small_suite, output=tmp_path, executor="inline")
    assert resumed.provenance["resumed"] == 1
    assert numbers(resumed) == numbers(first)
    assert run(small_suite, output=tmp_path, executor="inline", fresh=True).provenance["resumed"] == 0


def test_files_of_other_settings_go_when_a_run_is_complete(small_suite, tmp_path):
    run(small_suite, output=tmp_path, executor="inline")
    other = tmp_path / "small.toml"
    other.write_text(small_suite.read_text().replace("0.2, 0.8", "0.2, 0.9"))
    results = run(other, output=tmp_path, executor="inline")
    assert results.provenance["resumed"] == 3
    assert {file.stem for file in (tmp_path / "draws").iterdir()} == {cell.id for cell in results.cells}
    assert {file.stem for file in (tmp_path / "cells").iterdir()} == {cell.id for cell in results.cells}


def test_ctrl_c_between_storing_a_cell_and_counting_it(small_suite, tmp_path, monkeypatch):
    def store(file, content):
        write_atomically(file, content)
        if file.parent.name == "cells":
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write_atomically", store)
    with pytest.raises(running.Interrupted, match="1 of 4 cells are kept"):
        run(small_suite, output=tmp_path, executor="inline")
    assert len(Results.load(tmp_path).cells) == 1


@pytest.mark.parametrize("fresh", [False, True])
def test_files_of_ones_own_are_never_removed(small_suite, tmp_path, fresh):
    """The output folder may be anyone's: a folder of targets in it, or files beside the cells, stay."""
    own = [tmp_path / "targets" / "mine.py", tmp_path / "draws" / "mine.npz", tmp_path / "cells" / "notes.json"]
    for file in own:
        file.parent.mkdir(exist_ok=True)
        file.write_text("precious")
    made = tmp_path / "draws" / "0123456789ab.npz"  # of a cell of other settings
    made.write_text("")
    run(small_suite, output=tmp_path, executor="inline", fresh=fresh)
    assert [file.read_text() for file in own] == ["precious"] * 3
    assert not made.exists()  # power: what runs have made does go
