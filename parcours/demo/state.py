"""What the demonstration remembers between two starts: its keys, its port, how far its story is set up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class State:
    """A small JSON file in the data directory, readable by its owner alone, written whole at each change."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "demo.json"
        self.values: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str) -> Any:
        """What is kept under the name, or None."""
        return self.values.get(name)

    def keep(self, **values: Any) -> None:
        """Keep values; the file never holds half of them."""
        self.values.update(values)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mine = self.path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self.values, file, indent=1)
        mine.replace(self.path)
