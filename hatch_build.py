"""Build hook: puts the content folders inside the package, in real wheels only.

An editable install finds targets/ and benchmarks/suites/ in the checkout; a copy there would go stale. A wheel carries
them in mcmc_bench/content/, so that nothing named `targets` or `benchmarks` becomes importable. Must not know what
the files hold.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Folder in the checkout, and the endings of the files in it that a wheel carries.
CONTENT = {"targets": {".py", ".csv", ".json", ".npz", ".txt"}, "benchmarks/suites": {".toml"}}


class ContentHook(BuildHookInterface):
    """Adds every content file of the checkout to the wheel under mcmc_bench/content/."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the build; `version` is "editable" for an editable install and "standard" for a wheel."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        for folder, endings in CONTENT.items():
            for path in sorted((root / folder).rglob("*")):
                if path.suffix in endings and "__pycache__" not in path.parts:
                    inside = path.relative_to(root).as_posix()
                    build_data["force_include"][str(path)] = f"mcmc_bench/content/{inside}"
