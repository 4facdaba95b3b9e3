"""Where results come from: versions, machine, sources, and the command that makes them again.

Must not know what is run.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shlex
import subprocess
from pathlib import Path
from typing import Any

from mcmc_bench.core.identity import engine_fingerprint
from mcmc_bench.kernels.jit import ENGINE_FOLDER

PACKAGES = ("mcmc_bench", "numba", "llvmlite", "numpy", "scipy", "arviz-stats", "xarray", "matplotlib")


def describe_environment(workers: int) -> dict[str, Any]:
    """Versions, processor, workers and source hash of this process."""
    return {
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "machine": _machine(),
        "job": _job(),
        "workers": workers,
        "engine_hash": engine_fingerprint(),
        "commit": _commit(),
    }


def command_line(arguments: list[str]) -> str:
    """The command line for `arguments` of mcmc-bench, quoted for a shell."""
    return shlex.join(["mcmc-bench", *arguments])


def _machine() -> str:
    """A hash that two runs share if they are made on the same machine since it was started; it names nobody."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""  # not Linux
    return hashlib.sha256(f"{platform.node()} {_processor()} {boot}".encode()).hexdigest()[:12]


def _job() -> str:
    """The job of a continuous integration service; "local" outside of one."""
    named = ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "CI_JOB_ID", "BUILD_TAG")
    return " ".join(os.environ[name] for name in named if os.environ.get(name)) or "local"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit of the checkout that this runs from, with "+" if it has changes; None outside a checkout."""
    if not (ENGINE_FOLDER.parent / ".git").exists():
        return None

    def git(*words: str) -> str:
        return subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(ENGINE_FOLDER.parent), *words],  # noqa: S607 - whichever git made the checkout
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None
