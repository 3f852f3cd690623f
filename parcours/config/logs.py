"""Structured logs, on stderr: readable on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

_SECRET = re.compile(r"password|secret|api_key|write_key|token|authorization", re.IGNORECASE)


def _hide_secrets(_: Any, __: str, event: Any) -> Any:
    for key in event:
        if _SECRET.search(key):
            event[key] = "…"
    return event


def configure_logs() -> None:
    """Send every log to stderr, with its level and instant, and no secret in it."""
    terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
