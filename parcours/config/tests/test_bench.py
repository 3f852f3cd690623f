from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from parcours.config import cli


def test_the_benchmarks_run_from_a_checkout() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "parcours", "bench", "nothing"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "there is no benchmark nothing" in run.stderr
    assert "collector, digest, engine, figures, growth, imports, mail, pages, segments" in run.stderr


def test_an_installed_package_says_that_it_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "site-packages" / "parcours" / "config" / "cli.py"))
    run = CliRunner().invoke(cli.main, ["bench"])
    assert run.exit_code == 1
    assert "run `parcours bench` from a checkout" in run.output
