"""The installation's secret key, made at its first start when the environment gives none."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_key(data_dir: Path) -> str:
    """The key kept in the data directory, readable by its owner alone; made when there is none."""
    path = data_dir / "secret_key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    data_dir.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f"secret_key.{os.getpid()}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(mine, path)  # Two processes that start together agree on the first one's key.
    except FileExistsError:
        pass
    finally:
        mine.unlink()
    return path.read_text().strip()
