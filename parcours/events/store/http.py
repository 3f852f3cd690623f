"""As much of ClickHouse's HTTP interface as the ordinary clickhouse-connect client uses, over the embedded engine.

Statements come in the body or in `query=`, bound values as `param_NAME=` in the address or in a form, every other
name in the address is a setting. Files in a form are tables of that statement alone (`NAME_structure` and
`NAME_format` beside). An insert's rows follow its statement in the body. An error answers 500 with
ClickHouse's number in `X-ClickHouse-Exception-Code`. Two users: `reader` (only reads) and `writer`.
"""

from __future__ import annotations

import base64
import hmac
import re
import threading
import uuid
import zlib
from collections.abc import Iterator, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import lz4.frame
import msgspec

from parcours.events.store.engine import Engine, External, StatementError

try:
    from compression import zstd  # Python 3.14
except ImportError:
    from backports import zstd

_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s[^;]*?)\s+FORMAT\s+(\w+)[ \t]*(?:\r?\n|$)", re.IGNORECASE)
_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
#: What ClickHouse's HTTP interface takes for itself; anything else in the address is a setting.
_TRANSPORT = frozenset(
    "query database user password quota_key query_id session_id session_timeout session_check compress decompress"
    " buffer_size wait_end_of_query client_protocol_version role default_format enable_http_compression"
    " send_progress_in_http_headers http_headers_progress_interval_ms"
    " cancel_http_readonly_queries_on_client_close".split()
)
_LARGEST_STATEMENT = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_CHUNKS_READ_FROM_STRANGERS = 16
_AUTHENTICATION_FAILED, _TOO_LARGE = 516, 307


class StoreServer(ThreadingHTTPServer):
    """Listens on loopback; a thread for each connection, at most `most` statements at a time."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], *, engine: Engine, passwords: Mapping[str, str], most: int
    ) -> None:
        self.engine = engine
        self.passwords = passwords
        self.places = threading.BoundedSemaphore(most)
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server_version = "Parcours-store"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: StoreServer

    def log_message(self, format: str, *args: Any) -> None:
        """Statements are many and hold people's data: none is logged."""

    def do_GET(self) -> None:
        self._answer_request(read_only_verb=True)

    def do_POST(self) -> None:
        self._answer_request(read_only_verb=False)

    def _answer_request(self, *, read_only_verb: bool) -> None:
        address = urlsplit(self.path)
        if address.path == "/ping":
            self._send(200, b"Ok.\n")
            return
        body = self._body()
        user = self._user()
        if user is None:
            # What was sent is read, within reason: closing on unread bytes would destroy the answer on its way.
            for _ in islice(body, _CHUNKS_READ_FROM_STRANGERS):
                pass
            self.close_connection = True
            self._refuse(_AUTHENTICATION_FAILED, "Authentication failed. (AUTHENTICATION_FAILED)", status=401)
            return
        values = dict(parse_qsl(address.query, keep_blank_values=True))
        try:
            with self.server.places:
                self._run(user, values, body, may_write=user == "writer" and not read_only_verb)
        except StatementError as error:
            for _ in body:  # What the client still sends must be read before the answer can reach it.
                pass
            self._refuse(error.code, str(error))

    def _run(self, user: str, values: dict[str, str], body: Iterator[bytes], *, may_write: bool) -> None:
        statement = values.get("query", "").encode()
        tables: list[External] = []
        if self.headers.get_content_type() == "multipart/form-data":
            form, files = self._form(_whole(body))
            statement += form.pop("query", "").encode()
            values |= form
            tables = [
                External(
                    name,
                    values.pop(f"{name}_structure", ""),
                    values.pop(f"{name}_format", "TabSeparated"),
                    rows,
                )
                for name, rows in files.items()
            ]
        settings = {
            name: value
            for name, value in values.items()
            if name not in _TRANSPORT and not name.startswith("param_")
        }
        parameters = {name[6:]: value for name, value in values.items() if name.startswith("param_")}
        if may_write:
            statement, data = _split_insert(statement, body)
            insert = _INSERT.fullmatch(statement)
            if insert:
                rows = self.server.engine.insert(insert[1], insert[2].decode(), data, settings=settings)
                self._send(200, b"", summary={"written_rows": str(rows)})
                return
            statement += _whole(data)
            answer = self.server.engine.write(statement, parameters=parameters, settings=settings)
        else:
            statement += (b"\n" if statement else b"") + _whole(body)
            answer = self.server.engine.read(
                statement, parameters=parameters, settings=settings, tables=tables
            )
        found = _FORMAT.search(statement)
        self._send(200, answer, format_name=found[1].decode() if found else "TabSeparated" if answer else "")

    def _user(self) -> str | None:
        """Who asks, by Basic authentication or ClickHouse's own headers; None when the password is wrong."""
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        name, password = self.headers.get("X-ClickHouse-User", ""), self.headers.get("X-ClickHouse-Key", "")
        if kind.lower() == "basic":
            try:
                name, _, password = base64.b64decode(encoded).decode().partition(":")
            except ValueError:
                return None
        expected = self.server.passwords.get(name)
        if expected is None or not hmac.compare_digest(expected.encode(), password.encode()):
            return None
        return name

    def _body(self) -> Iterator[bytes]:
        raw = (
            self._chunks()
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked"
            else self._sized()
        )
        match self.headers.get("Content-Encoding", "identity").lower():
            case "lz4":
                return _decompressed(raw, lz4.frame.LZ4FrameDecompressor())
            case "zstd":
                return _decompressed(raw, zstd.ZstdDecompressor())
            case "gzip" | "deflate":
                return _decompressed(raw, zlib.decompressobj(wbits=47))
            case _:
                return raw

    def _sized(self) -> Iterator[bytes]:
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            part = self.rfile.read(min(left, _CHUNK))
            if not part:
                raise ConnectionError("The client went away in the middle of its request.")
            left -= len(part)
            yield part

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(100).split(b";")[0] or b"0", 16):
            part = self.rfile.read(size)
            if len(part) != size:
                raise ConnectionError("The client went away in the middle of its request.")
            self.rfile.readline(3)
            yield part
        while self.rfile.readline(8192).strip():
            pass

    def _form(self, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
        """A form's values, and its files."""
        head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n"
        message = BytesParser(policy=HTTP).parsebytes(head + body)
        form, files = {}, {}
        for part in message.iter_parts():
            value = part.get_payload(decode=True)
            value = value if isinstance(value, bytes) else b""
            name = str(part.get_param("name", header="content-disposition"))
            if part.get_filename() is None:
                form[name] = value.decode()
            else:
                files[name] = value
        return form, files

    def _refuse(self, code: int, message: str, *, status: int = 500) -> None:
        self._send(status, f"{message}\n".encode(), code=code)

    def _send(
        self,
        status: int,
        body: bytes,
        *,
        code: int = 0,
        format_name: str = "",
        summary: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Query-Id", uuid.uuid4().hex)
        self.send_header("X-ClickHouse-Timezone", "UTC")
        if self.close_connection:
            self.send_header("Connection", "close")
        if format_name:
            self.send_header("X-ClickHouse-Format", format_name)
        if summary:
            self.send_header("X-ClickHouse-Summary", msgspec.json.encode(summary).decode())
        if code:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _whole(parts: Iterator[bytes]) -> bytes:
    """A statement, or a form, of a bounded size."""
    whole = bytearray()
    for part in parts:
        whole += part
        if len(whole) > _LARGEST_STATEMENT:
            raise StatementError(_TOO_LARGE, "The statement is too large. (TOO_MANY_BYTES)")
    return bytes(whole)


def _split_insert(statement: bytes, body: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The INSERT statement, whether in the address or at the body's beginning, and the rows after it."""
    if statement:
        return statement, body
    start = next(body, b"")
    while len(start) < 65_536 and (more := next(body, b"")):
        start += more
    found = _INSERT.match(start)
    if not found:
        return start, body
    return found[0].rstrip(), _chain(start[found.end() :], body)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _decompressed(parts: Iterator[bytes], machine: Any) -> Iterator[bytes]:
    for part in parts:
        if out := machine.decompress(part):
            yield out
