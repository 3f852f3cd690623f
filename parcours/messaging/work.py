"""The sending work of `parcours work`."""

from __future__ import annotations

from parcours.messaging.sending.work import round

__all__ = ["round"]
