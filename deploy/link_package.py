"""Make this checkout's `parcours` importable, and a command, in its own virtual environment.

An editable installation through pip would fetch the build back end again at each set-up; a path file and a script
of three lines do the same, offline.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

root = Path(__file__).resolve().parent.parent
Path(sysconfig.get_path("purelib"), "parcours.pth").write_text(f"{root}\n")
script = Path(sysconfig.get_path("scripts"), "parcours")
script.write_text(f"#!{sys.executable}\nfrom parcours.config.cli import main\n\nmain()\n")
script.chmod(0o755)
