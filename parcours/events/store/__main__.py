"""The embedded store for the time of one command: `python -m parcours.events.store DATA_DIR`, until stdin ends."""

from __future__ import annotations

import sys
from pathlib import Path

from parcours.events.store.server import StoreBusy, serve

try:
    serve(data_dir=Path(sys.argv[1]), until_stdin_ends=True)
except StoreBusy as error:
    sys.exit(str(error))
