"""The steps that the documentation gives for a user's repository, run here as far as possible without the service.

Steps that only the service can do are replaced and named: checking out, installing Python, uploading.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import mcmc_bench.samplers

ROOT = Path(__file__).resolve().parents[1]
ACTION = yaml.safe_load((ROOT / ".github/actions/compare/action.yml").read_text())
GUIDE = (ROOT / "docs/continuous_integration.md").read_text()
SUITE = """
[suite]
title = "Mine"
budget = 800
chains = 16
replicates = 24
metrics = ["cost"]
[[experiment]]
name = "keeps"
start = "exact"
targets = [{ name = "gaussian", dim = 5 }]
samplers = [{ name = "my_sampler", step_size = 0.4 }]
"""
RIGHT = (Path(mcmc_bench.samplers.__path__[0]) / "mala.py").read_text()
WRONG = RIGHT.replace("if generator.random() < statistics[chain, ACCEPTANCE]:", "if generator.random() >= 0.0:")


def recipe(language, first_line):
    """The block of the guide in `language` whose first line holds `first_line`."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, flags=re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if first_line in block.splitlines()[0]]
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A user's repository, in a folder whose name has a space: suite, sampler, and a baseline made with make."""
    folder = tmp_path_factory.mktemp("a user's") / "my repository"
    folder.mkdir()
    (folder / "my_suite.toml").write_text(SUITE)
    (folder / "my_sampler.py").write_text(RIGHT)
    (folder / "Makefile").write_text(recipe("make", "Makefile"))
    done = shell("make --silent baseline.json", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def passed(recorded, tmp_path_factory):
    """The repository after the action has passed it, and what `run_action` gave."""
    folder = Path(shutil.copytree(recorded, tmp_path_factory.mktemp("passed") / "my repository"))
    return folder, run_action(folder, **MINE)


@pytest.fixture
def repository(recorded, tmp_path):
    return Path(shutil.copytree(recorded, tmp_path / "my repository"))


def shell(script, folder, **environment):
    """Run by bash, with the programs of this environment: on a service they would have been installed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def expression(text, inputs):
    """A value of the action as the service would fill it in."""

    def value(match):
        name = match[1].strip()
        return (
            inputs[name.removeprefix("inputs.")]
            if name.startswith("inputs.")
            else str(ROOT / ".github/actions/compare")
        )

    return re.sub(r"\$\{\{(.*?)\}\}", value, text)


def run_action(folder, **given):
    """The shell steps of the action but for pip: exit code, log, outputs, job summary."""
    inputs = {name: given.get(name, str(entry.get("default", ""))) for name, entry in ACTION["inputs"].items()}
    (step,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "gate"]
    files = {"GITHUB_OUTPUT": folder / "outputs.txt", "GITHUB_STEP_SUMMARY": folder / "summary.md"}
    environment = {name: expression(text, inputs) for name, text in step["env"].items()}
    done = shell(step["run"], folder, **environment, **{name: str(file) for name, file in files.items()})
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    summary = files["GITHUB_STEP_SUMMARY"].read_text() if files["GITHUB_STEP_SUMMARY"].is_file() else ""
    return done.returncode, done.stdout + done.stderr, outputs, summary


MINE = {"suite": "my_suite.toml", "samplers": "my_sampler.py", "baseline": "baseline.json"}


def test_inputs_reach_the_shell_through_the_environment_only():
    """A value pasted into a script would be run as a command."""
    text = (ROOT / ".github/actions/compare/action.yml").read_text()
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
        assert step["run"].startswith("set -euo pipefail")
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == set(ACTION["inputs"])
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.gate.outputs.{name} }}}}"


def test_what_the_action_installs_is_this_project():
    default = expression(ACTION["inputs"]["install"]["default"], {})
    assert (Path(default) / "pyproject.toml").resolve() == ROOT / "pyproject.toml"


@pytest.mark.slow
def test_the_action_passes_what_is_right(passed):
    folder, (code, log, outputs, summary) = passed
    assert (code, outputs["verdict"], outputs["exit-code"]) == (0, "pass", "0"), log
    assert (folder / outputs["page"]).stat().st_size > 10_000
    assert "Pass" in summary
    assert "::notice" in log


@pytest.mark.slow
def test_the_action_stops_what_is_wrong(repository):
    (repository / "my_sampler.py").write_text(WRONG)
    code, log, outputs, summary = run_action(repository, **MINE)
    assert (code, outputs["verdict"]) == (1, "regression"), log
    assert "::error" in log
    assert "is biased" in summary

    code, log, outputs, _ = run_action(repository, **{**MINE, "baseline": "gone.json"})
    assert (code, outputs["verdict"]) == (3, "nothing compared"), log


@pytest.mark.slow
def test_hostile_inputs_are_only_text(repository):
    """An input that comes from a pull request is never run as a command."""
    text = '"; touch broken; $(touch broken) `touch broken`'
    code, _, outputs, _ = run_action(repository, **dict.fromkeys(set(ACTION["inputs"]) - {"install"}, text))
    assert code == 2
    assert outputs["verdict"] == "error"
    code, _, outputs, _ = run_action(repository, **{**MINE, "output": text})  # as far as the page, which it names
    assert outputs["verdict"] == {0: "pass", 2: "error"}[code]
    assert not list(repository.rglob("broken"))


@pytest.mark.long
@pytest.mark.slow
def test_the_makefile(repository):
    """`make gate` passes, `make accept` replaces the baseline, and a faulty sampler stops both."""
    before = (repository / "baseline.json").read_bytes()
    assert shell("make gate", repository).returncode == 0
    assert (repository / "baseline.json").read_bytes() == before
    done = shell("make accept", repository)
    assert done.returncode == 0, done.stderr
    assert (repository / "baseline.json").read_bytes() != before
    assert (repository / "baseline.history.jsonl").is_file()
    accepted = (repository / "baseline.json").read_bytes()
    (repository / "my_sampler.py").write_text(WRONG)
    assert shell("make accept", repository).returncode != 0
    assert (repository / "baseline.json").read_bytes() == accepted


@pytest.mark.long
@pytest.mark.slow
def test_gitlab(repository):
    """Its script, but for pip; what it names as report is JUnit's XML."""
    job = yaml.safe_load(recipe("yaml", ".gitlab-ci.yml"))["samplers"]
    install, *script = job["script"]
    assert install.startswith("pip install")
    done = shell("\n".join(["set -e", *script]), repository)
    assert done.returncode == 0, done.stderr
    assert "<testsuite" in (repository / job["artifacts"]["reports"]["junit"]).read_text()
    for path in job["artifacts"]["paths"]:
        assert (repository / path).is_file()


@pytest.mark.slow
def test_pytest(repository):
    """The recipe as it stands, beside a right sampler and beside a wrong one."""
    wrong = repository / "wrong"
    wrong.mkdir()
    (wrong / "my_sampler.py").write_text(RIGHT.replace("(forward - backward)", "(backward - forward)"))
    for folder in (repository, wrong):
        (folder / "test_my_sampler.py").write_text(recipe("python", "test_my_sampler.py"))
    done = shell("python -m pytest -rA -p no:cacheprovider --import-mode=importlib .", repository)
    assert done.returncode == 1
    assert "PASSED test_my_sampler.py::test_sampler" in done.stdout, done.stdout
    assert "FAILED wrong/test_my_sampler.py::test_sampler" in done.stdout
    assert "is biased: off by" in done.stdout


def test_the_workflows_are_what_github_reads():
    """Their shape, that the action is this project's, and that its inputs exist."""
    workflow = yaml.safe_load(recipe("yaml", "samplers.yml"))
    (job,) = workflow["jobs"].values()
    (ours,) = [step for step in job["steps"] if "mcmc_bench" in step.get("uses", "")]
    assert ours["uses"].split("@")[0].endswith("mcmc_bench/.github/actions/compare")
    assert set(ours["with"]) <= set(ACTION["inputs"])
    required = {name for name, entry in ACTION["inputs"].items() if entry.get("required")}
    assert required <= set(ours["with"])


@pytest.mark.slow
def test_the_comment(passed):
    """The step that writes it, with a stand-in for GitHub's own program."""
    folder, _ = passed
    (step,) = yaml.safe_load(recipe("yaml", "- if:"))
    (folder / "bin").mkdir()
    stand_in = folder / "bin" / "gh"
    stand_in.write_text('#!/bin/sh\ncat "$5" > posted.md\n')
    stand_in.chmod(0o755)
    done = shell('export PATH="$PWD/bin:$PATH"\n' + step["run"], folder, NUMBER="7")
    assert done.returncode == 0, done.stderr
    assert "Pass" in (folder / "posted.md").read_text()
