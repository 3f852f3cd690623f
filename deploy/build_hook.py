"""Hatchling's hook: a wheel always carries the built front end and the compiled translations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEndHook(BuildHookInterface):
    """Builds what is not in the sources before the files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if not (root / "parcours/ui/static/ui/dist/manifest.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=root / "frontend", check=True)
            subprocess.run(["npm", "run", "build"], cwd=root / "frontend", check=True)
        sys.path.insert(0, str(root / "deploy"))
        from compile_translations import compile_all

        compile_all(root)
