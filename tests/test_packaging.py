"""Targets and suites are found from a checkout, an editable install and a wheel, and nothing else becomes importable."""

import hashlib
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

USE = """
import sys
from pathlib import Path
import mcmc_bench
home = Path(mcmc_bench.__file__).resolve().parent
assert home == Path(sys.argv[1]).resolve(), home
names = mcmc_bench.list_targets()
assert {"gaussian", "song_ermon", "breast_cancer_logistic"} <= set(names), names
assert not any(name.startswith(("_", "make_")) for name in names), names
assert mcmc_bench.load_target("breast_cancer_logistic").dim == 30  # reads its data files
tree = mcmc_bench.sample(mcmc_bench.load_target("gaussian", dim=2), "ula", draws=5, chains=2, threads=1)
assert tree["posterior"]["x"].shape == (2, 5, 2)
assert mcmc_bench.load_suite("smoke") and mcmc_bench.load_suite("noise")
"""
NOTHING_ELSE = """
import importlib
for name in ("targets", "benchmarks", "reports", "tests", "content"):
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{name} is importable: {found}")
"""


@pytest.fixture(scope="session")
def source(root, tmp_path_factory):
    """A copy of the files that git knows or would take, so that a build sees no rubbish and leaves none."""
    folder = tmp_path_factory.mktemp("source")
    if (root / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / name, folder / name)
    else:  # an unpacked sdist
        shutil.copytree(root, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    (folder / "targets" / "__pycache__").mkdir()
    (folder / "targets" / "__pycache__" / "gaussian.py").write_text("left by something")
    return folder


@pytest.fixture(scope="session")
def wheel(source, tmp_path_factory):
    """A wheel built from the checkout."""
    return _build(WheelBuilder, source, tmp_path_factory.mktemp("wheel"), "standard")


def _build(builder, source, folder, version):
    (built,) = builder(str(source)).build(directory=str(folder), versions=[version])
    return Path(built)


def _contents(wheel):
    """Name and hash of every file of a wheel, without its record of them."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if not name.endswith("RECORD")
        }


def test_checkout(root, python):
    """Run from a checkout that is not installed: only its path is known."""
    python("-c", USE, root / "mcmc_bench", path=[root])


def test_editable_install_from_another_folder(root, python):
    distribution = json.loads(importlib.metadata.distribution("mcmc_bench").read_text("direct_url.json") or "{}")
    assert distribution.get("dir_info", {}).get("editable"), "run the tests with `make test`, in an editable install"
    python("-c", USE + NOTHING_ELSE, root / "mcmc_bench")


def test_wheel_installed_elsewhere(root, wheel, python, tmp_path):
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel],
        check=True,
    )
    assert sorted(path.name.split("-")[0] for path in site.iterdir() if path.name != "bin") == ["mcmc_bench"] * 2
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    python("-c", USE + NOTHING_ELSE, site / "mcmc_bench", path=[site], folder=elsewhere)
    listed = python("-m", "mcmc_bench", "list", "suites", path=[site], folder=elsewhere)
    assert "noise" in listed
    assert str(root) not in "".join(
        path.read_text(errors="ignore") for path in site.rglob("*") if path.suffix in {".py", ".toml", ".json"}
    )


def test_wheel_carries_all_content_and_nothing_else(source, wheel):
    names = set(_contents(wheel))
    wanted = {
        f"mcmc_bench/{path.relative_to(source / 'mcmc_bench').as_posix()}"
        for path in (source / "mcmc_bench").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for folder in ("targets", "benchmarks/suites"):
        for path in (source / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                wanted.add(f"mcmc_bench/content/{path.relative_to(source).as_posix()}")
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert "mcmc_bench/py.typed" in names
    assert any(name.startswith("mcmc_bench/report/templates/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_editable_wheel_carries_no_content(source, tmp_path):
    """A copy of the content would go stale as the checkout is edited."""
    names = _contents(_build(WheelBuilder, source, tmp_path, "editable"))
    assert not [name for name in names if "content" in name or "targets" in name]


def test_wheel_from_sdist_is_the_same(source, wheel, tmp_path):
    with tarfile.open(_build(SdistBuilder, source, tmp_path, "standard")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert _contents(_build(WheelBuilder, unpacked, tmp_path / "again", "standard")) == _contents(wheel)
