"""One SMTP connection, and one mail over it, command by command.

aiosmtplib carries the commands; the order is ours because we must know how far a mail went when a connection is
lost. Until the final dot is written the server cannot have taken it, and it may be sent again. From then on, until
an answer, nobody can know: its fate is unknown.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPResponseException
from aiosmtplib.protocol import SMTPProtocol

from parcours.lib.crashpoints import point
from parcours.messaging.mime import Mail

_LINE_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """Where mails are handed: `smtp[s]://user:password@host:port`."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""

    @classmethod
    def of_url(cls, url: str) -> Server:
        """Read PARCOURS_EMAIL_URL. Raises ValueError when it is not such an address."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("PARCOURS_EMAIL_URL is smtp[s]://user:password@host:port.")
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if tls else 25),
            tls=tls,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


class Fate(Enum):
    """How a server's part in a send ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # for good
    DEFERRED = "deferred"  # may be tried again
    UNKNOWN = "unknown"  # the connection was lost after the final dot
    UNTRIED = "untried"  # the server was not ready for any mail; this one was not tried
    IMPOSSIBLE = "impossible"  # the server cannot take such an address or body


@dataclass(frozen=True)
class Outcome:
    """A server's answer to one mail; `at_recipient` when it answered RCPT."""

    fate: Fate
    code: int = 0
    text: str = ""
    at_recipient: bool = False


class NotReady(Exception):
    """The server takes no mail at all now: it cannot be reached, or refuses us."""


class Connection:
    """A connection to the server, used for one mail after another."""

    def __init__(self, server: Server, *, timeout: float) -> None:
        self._server = server
        self._timeout = timeout
        self._client: aiosmtplib.SMTP | None = None
        self._protocol: SMTPProtocol | None = None
        self.eight_bit = self.utf8 = self.dsn = False
        self.used = 0

    @property
    def ready(self) -> bool:
        return self._protocol is not None and self._protocol.is_connected

    async def open(self) -> None:
        """Connect and say who we are. Raises NotReady."""
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=socket.gethostname(),
            use_tls=server.tls,
            # STARTTLS is used whenever it is offered; credentials never travel without it (but to this machine).
            start_tls=None,
            timeout=self._timeout,
            tls_context=ssl.create_default_context(),
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            if server.user:
                if not (client.get_transport_info("sslcontext") or _is_local(server.host)):
                    raise NotReady("The server offers no TLS: the password is not sent in clear.")
                await client.login(server.user, server.password)
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise NotReady(f"{type(error).__name__}: {error}") from error
        except NotReady:
            client.close()
            raise
        self._client, self._protocol = client, client.protocol
        self.eight_bit = client.supports_extension("8bitmime")
        self.utf8 = client.supports_extension("smtputf8")
        self.dsn = client.supports_extension("dsn")
        self.used = 0

    async def _command(self, *words: str) -> tuple[int, str]:
        if self._protocol is None:
            raise ConnectionResetError("not connected")
        reply = await self._protocol.execute_command(
            *(word.encode("utf-8") for word in words), timeout=self._timeout
        )
        return reply.code, reply.message

    async def send(self, mail: Mail) -> Outcome:
        """Hand one mail over. Never raises for what a server or network does; see Fate."""
        if mail.utf8 and not self.utf8:
            return Outcome(Fate.IMPOSSIBLE, text="The server does not offer SMTPUTF8.")
        if mail.eight_bit and not self.eight_bit:
            return Outcome(Fate.IMPOSSIBLE, text="The server does not offer 8BITMIME.")
        stage = "mail"
        try:
            code, text = await self._command(*self._mail_from(mail))
            point("sending.mail")
            if code != 250:
                return await self._refused(code, text, stage)
            stage = "rcpt"
            notify = (f"NOTIFY=FAILURE,DELAY ORCPT=rfc822;{_xtext(str(mail.recipient))}",) if self.dsn else ()
            code, text = await self._command(f"RCPT TO:<{mail.recipient}>", *notify)
            point("sending.rcpt")
            if code not in (250, 251, 252):
                return await self._refused(code, text, stage)
            stage = "data"
            code, text = await self._command("DATA")
            point("sending.data")
            if code != 354:
                return await self._refused(code, text, stage)
            stage = "dot"
            return await self._content(mail.content)
        except (SMTPException, OSError) as error:
            self.close()
            text = f"{type(error).__name__}: {error}"
            if stage == "dot":
                return Outcome(Fate.UNKNOWN, text=text)
            # A server may close a kept connection between two mails: this one was not tried.
            fate = (
                Fate.UNTRIED
                if stage == "mail" and not isinstance(error, SMTPResponseException)
                else Fate.DEFERRED
            )
            return Outcome(fate, text=text)

    async def _content(self, content: bytes) -> Outcome:
        if b"\n." in content or content.startswith(b"."):
            content = _LINE_DOT.sub(b"..", content)
        protocol = self._protocol
        if protocol is None:
            raise ConnectionResetError("not connected")
        protocol.write(content + b".\r\n")
        point("sending.dot")
        reply = await protocol.read_response(timeout=self._timeout)
        self.used += 1
        point("sending.answered")
        if 200 <= reply.code < 300:
            return Outcome(Fate.ACCEPTED, reply.code, reply.message)
        if not 400 <= reply.code < 600:
            raise SMTPResponseException(reply.code, reply.message)
        return await self._refused(reply.code, reply.message, "content")

    def _mail_from(self, mail: Mail) -> list[str]:
        words = [f"MAIL FROM:<{mail.sender}>"]
        if mail.eight_bit:
            words.append("BODY=8BITMIME")
        if mail.utf8:
            words.append("SMTPUTF8")
        if self.dsn:
            words.append(f"RET=HDRS ENVID={mail.envelope_id}")
        return words

    async def _refused(self, code: int, text: str, stage: str) -> Outcome:
        """The outcome of a refusal; the connection is made ready for the next mail, or closed."""
        if code == 421 or not 400 <= code < 600:
            self.close()
            fate = Fate.UNTRIED if stage == "mail" and code == 421 else Fate.DEFERRED
            return Outcome(fate, code, text)
        if code in (530, 534, 535, 538):
            self.close()  # It wants us to sign in: no mail of ours would pass.
            return Outcome(Fate.UNTRIED, code, text)
        try:
            if stage != "content":
                await self._command("RSET")
        except (SMTPException, OSError):
            self.close()
        fate = Fate.DEFERRED if code < 500 else Fate.REFUSED
        return Outcome(fate, code, text, at_recipient=stage == "rcpt")

    def close(self) -> None:
        """Drop the connection at once."""
        if self._client is not None:
            self._client.close()
        self._client = self._protocol = None

    async def quit(self) -> None:
        """Take leave politely."""
        try:
            if self.ready and self._client is not None:
                await asyncio.wait_for(self._client.quit(), 2)
        except (SMTPException, OSError):
            pass
        self.close()


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _xtext(address: str) -> str:
    """RFC 3461: bytes outside printable ASCII, `+` and `=` as +XX."""
    return "".join(
        chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}" for byte in address.encode()
    )
