"""What `parcours work` does for tracking."""

from __future__ import annotations

from parcours.tracking.digest.run import round

__all__ = ["round"]
