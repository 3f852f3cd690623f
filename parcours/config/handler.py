"""Django under ASGI with threads that stay, and bodies that end.

Django's own handler gives each request a new thread, hence a new connection to the database and to the event store.
Here a request borrows one of a fixed set of threads once its body has arrived, so that connections are kept, and a
slow sender holds nothing. A body larger than its address takes is refused before it fills the disk.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import IO, Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.utils.translation import gettext as _

THREADS = 32
#: What pages and the API take besides imports; what is parsed in memory has a lower limit of Django's.
USUAL_BYTES = 10 * 1024**2
_held: ContextVar[AsyncExitStack] = ContextVar("held")


class _TooLarge(Exception):
    """The body is larger than its address takes."""


class Handler(ASGIHandler):
    """Django's handler, with a fixed set of threads and a limit to bodies."""

    def __init__(self) -> None:
        super().__init__()
        self._free: asyncio.LifoQueue[ThreadPoolExecutor] = asyncio.LifoQueue()
        for number in range(THREADS):
            self._free.put_nowait(ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"request-{number}"))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        most = _most_bytes(scope["path"])
        length = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            if length.isdigit() and int(length) > most:
                raise _TooLarge
            async with AsyncExitStack() as held:
                _held.set(held)
                await self.handle(scope, _limited(receive, most), send)
        except _TooLarge:
            await _refuse(send)

    async def read_body(self, receive: Any) -> IO[bytes]:
        body = await super().read_body(receive)
        await _held.get().enter_async_context(self._thread())
        return body

    @asynccontextmanager
    async def _thread(self) -> Any:
        executor = await self._free.get()
        try:
            async with ThreadSensitiveContext(executor=executor):
                yield
        finally:
            self._free.put_nowait(executor)


def _most_bytes(path: str) -> int:
    """How large a body this address takes: imports are files."""
    imports = path == "/api/v1/events" or "import" in path.split("/")
    return settings.IMPORT_MAX_BYTES if imports else USUAL_BYTES


def _limited(receive: Any, most: int) -> Any:
    """`receive`, counting the body's bytes."""
    left = most

    async def counted() -> Any:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _TooLarge
        return message

    return counted


async def _refuse(send: Any) -> None:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    problem = {
        "type": "too-large",
        "title": status.phrase,
        "status": status,
        "detail": _("The body is too large."),
    }
    body = json.dumps(problem).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
