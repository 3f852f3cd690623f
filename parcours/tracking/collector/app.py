"""The collector: Segment's HTTP tracking protocol as a small ASGI application.

It stands in front of Django in the same server, or alone (`parcours collect`), and answers only once calls are on
disk. docs/tracking.md says what it takes and what it refuses.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import shutil
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import msgspec
import structlog
from django.conf import settings

from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.tracking.collector import wire
from parcours.tracking.collector.keys import Keys, Source
from parcours.tracking.collector.static import Tracker
from parcours.tracking.collector.writer import Full, Writer
from parcours.tracking.reading import read_object
from parcours.tracking.refusals import Refused

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODY_SECONDS = 30.0
_SHORT = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}
ROUTES: dict[str, str] = {
    f"/v1/{name}": kind
    for short, kind in _SHORT.items()
    for name in (short, kind, *(["import"] if kind == "batch" else []))
}

CORS: Headers = [(b"access-control-allow-origin", b"*")]
_PREFLIGHT: Headers = [
    *CORS,
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-retry-count, anonymousid, sentat"),
    (b"access-control-max-age", b"86400"),
]
_JSON: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *CORS]
_SUCCESS = b'{"success": true}'
_SUCCESS_HEADERS: Headers = [*_JSON, (b"content-length", str(len(_SUCCESS)).encode())]
_ROBOTS = b"User-agent: *\nDisallow: /\n"


class Answer(Exception):
    """An answer other than success, said to the caller as JSON."""

    def __init__(self, status: int, reason: str, detail: str, headers: Headers | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.body = msgspec.json.encode({"success": False, "reason": reason, "detail": detail})
        self.headers = headers or []


class Gone(Exception):
    """The caller went away before its request was whole."""


def serves(path: str) -> bool:
    """Whether an address is the collector's."""
    return path.startswith("/v1/") or path == "/t.js" or path == "/robots.txt"


def _busy(detail: str, *, after: int) -> Answer:
    return Answer(503, "unavailable", detail, [(b"retry-after", str(after).encode())])


class Collector:
    """The ASGI application."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.writer = Writer()
        self.tracker = Tracker()
        self._disk_checked = 0.0
        self._disk_full = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            await self._serve(scope, receive, send)
        except Answer as answer:
            await _respond(send, answer.status, answer.body, [*_JSON, *answer.headers])
        except Gone:
            return
        except Exception:
            # Whatever it is, nothing was kept: the caller is to try again, not to throw its calls away.
            log.exception("collector failed", path=scope["path"])
            failed = _busy("The collector failed.", after=5)
            await _respond(send, failed.status, failed.body, [*_JSON, *failed.headers])

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if method == "OPTIONS":
            await _respond(send, 204, b"", _preflight(scope))
            return
        kind = ROUTES.get(path)
        if kind is not None:
            if method != "POST":
                raise Answer(405, "method", "Use POST.", [(b"allow", b"POST, OPTIONS")])
            await self._take(kind, scope, receive, send)
            return
        if method not in ("GET", "HEAD"):
            raise Answer(404, "not_found", "There is nothing at this address.")
        if path == "/t.js":
            status, body, headers = self.tracker.answer(_header(scope, b"if-none-match"))
            await _respond(send, status, b"" if method == "HEAD" else body, [*headers, *CORS])
        elif path == "/robots.txt":
            await _respond(send, 200, _ROBOTS, [(b"content-type", b"text/plain; charset=utf-8")])
        elif path.startswith("/v1/projects/") and path.endswith("/settings"):
            await self._settings(path, send)
        else:
            raise Answer(404, "not_found", "There is nothing at this address.")

    async def _take(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        key, encoding, origin, privacy, agent = "", b"", False, False, b""
        length = 0
        for name, value in scope["headers"]:
            if name == b"authorization":
                key = _basic_user(value)
            elif name == b"content-encoding":
                encoding = value.strip().lower()
            elif name == b"content-length":
                length = int(value) if value.isdigit() else 0
            elif name == b"origin":
                origin = True
            elif name == b"sec-gpc":
                privacy = value.strip() == b"1"
            elif name == b"user-agent":
                agent = value
        limit = wire.BATCH_LIMIT if kind == "batch" else wire.CALL_LIMIT
        if length > limit:
            raise _too_large(limit)
        if self._is_disk_full():
            raise _busy("The disk is almost full.", after=60)
        body = await _body(receive, limit)
        if encoding in (b"gzip", b"x-gzip"):
            try:
                body = wire.decompress(body, limit=limit)
            except wire.TooLarge:
                raise _too_large(limit) from None
            except wire.Unreadable as error:
                raise Answer(400, "unreadable", str(error)) from None
        elif encoding not in (b"", b"identity"):
            raise Answer(400, "unreadable", "Content-Encoding may be gzip or nothing.")
        browser_agent = agent.decode("latin-1")[:1000] if origin else ""
        source = "gpc" if privacy else "browser" if origin else ""
        received = to_ms(clock.now())
        if kind == "batch":
            await self._take_batch(body, key, received, browser_agent, source, send)
        else:
            await self._take_one(kind, body, key, received, browser_agent, source, send)

    async def _take_one(
        self, kind: str, body: bytes, key: str, received: int, agent: str, source: str, send: Send
    ) -> None:
        try:
            call = read_object(body)
        except Refused as refused:
            raise Answer(400, refused.reason, refused.detail) from None
        account = await self._account(key or call.get("writeKey"))
        sender = wire.Sender(zone=account.zone, received=received, agent=agent, source=source)
        try:
            part = wire.encode_call(wire.check_call(call, kind=kind, sent_at=None, sender=sender))
        except Refused as refused:
            raise Answer(400, refused.reason, refused.detail) from None
        await self._keep(account, [part], received)
        await _respond_with(send, 200, _SUCCESS, _SUCCESS_HEADERS)

    async def _take_batch(
        self, body: bytes, key: str, received: int, agent: str, source: str, send: Send
    ) -> None:
        try:
            frame = wire.read_batch(body)
        except wire.Unreadable as error:
            raise Answer(400, "unreadable", str(error)) from None
        account = await self._account(key or frame.write_key)
        sender = wire.Sender(zone=account.zone, received=received, agent=agent, source=source)
        parts: list[bytes] = []
        rejected = []
        for index, raw in enumerate(frame.batch):
            try:
                parts.append(
                    wire.take_call(raw, kind=None, sent_at=frame.sent_at, sender=sender, size=len(bytes(raw)))
                )
            except Refused as refused:
                rejected.append({"index": index, "reason": refused.reason, "detail": refused.detail})
        if parts:
            await self._keep(account, parts, received)
        if not rejected:
            await _respond_with(send, 200, _SUCCESS, _SUCCESS_HEADERS)
            return
        await _respond(send, 200, msgspec.json.encode({"success": True, "rejected": rejected}), _JSON)

    async def _keep(self, account: Source, parts: list[bytes], received: int) -> None:
        try:
            await self.writer.keep(account_id=account.account_id, parts=parts, received=received)
        except Full:
            raise _busy("Nothing more can be kept now.", after=5) from None

    async def _account(self, key: object) -> Source:
        try:
            source = await self.keys.find(key) if isinstance(key, str) else None
        except Exception:
            log.exception("write key could not be looked up")
            raise _busy("The database cannot be reached.", after=5) from None
        if source is None:
            raise Answer(
                401,
                "unknown_key",
                "This write key is unknown.",
                [(b"www-authenticate", b'Basic realm="write key"')],
            )
        return source

    def _is_disk_full(self) -> bool:
        now = time.monotonic()
        if now - self._disk_checked > 1.0:
            self._disk_checked = now
            usage = shutil.disk_usage(settings.DATA_DIR)
            self._disk_full = usage.used / (usage.used + usage.free) * 100 > settings.DISK_FULL_PERCENT
        return self._disk_full

    async def _settings(self, path: str, send: Send) -> None:
        """What Segment's and RudderStack's browser libraries ask for before they send."""
        key = unquote(path.removeprefix("/v1/projects/").removesuffix("/settings"))
        await self._account(key)
        host = settings.PUBLIC_URL.split("://", 1)
        answer = {
            "integrations": {
                "Segment.io": {
                    "apiKey": key,
                    "apiHost": f"{host[-1]}/v1",
                    "protocol": host[0],
                    "unbundledIntegrations": [],
                    "addBundledMetadata": True,
                    "maybeBundledConfigIds": {},
                    "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
                }
            },
            "plan": {
                "track": {"__default": {"enabled": True, "integrations": {}}},
                "identify": {},
                "group": {},
            },
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        }
        await _respond(send, 200, msgspec.json.encode(answer), _JSON)


def _preflight(scope: Scope) -> Headers:
    asked = _header(scope, b"access-control-request-headers")
    if not asked:
        return _PREFLIGHT
    return [pair for pair in _PREFLIGHT if pair[0] != b"access-control-allow-headers"] + [
        (b"access-control-allow-headers", _PREFLIGHT[2][1] + b", " + asked[:1000]),
        (b"vary", b"access-control-request-headers"),
    ]


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


def _basic_user(value: bytes) -> str:
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).partition(b":")[0].decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _too_large(limit: int) -> Answer:
    return Answer(413, "too_large", f"The body may be {limit // 1024} KB.")


async def _body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part = message.get("body", b"")
                more = message.get("more_body", False)
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
    except TimeoutError:
        raise Answer(408, "slow", "The body did not come in time.", [(b"connection", b"close")]) from None
    return b"".join(parts)


async def _respond(send: Send, status: int, body: bytes, headers: Headers) -> None:
    await _respond_with(send, status, body, [*headers, (b"content-length", str(len(body)).encode())])


async def _respond_with(send: Send, status: int, body: bytes, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
