"""E-mails rendered, personalised, tracked, handed to a local SMTP server and written down, in mails a second.

The server is a minimal one in a process of its own, which answers and forgets: it is not what is measured. The message
is written in MJML: a name, a condition, an attribute, five tracked links, the pixel, a text part. The yardstick is a
bare loop of aiosmtplib, on uvloop as ours, that hands one constant message of the same size to the same server over the
same number of connections. Both take turns. Once more, then, with a key for the sender's domain: what DKIM costs.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.installation import ROOT, apart, free_port, installation, setup_django
from benchmarks.report import Figure

MAILS = 20_000
TURNS = 3
CONNECTIONS = 4

_MJML = """<mjml><mj-body>
<mj-section><mj-column><mj-text>Bonjour {{ contact.first_name | default: "vous" }},</mj-text>
<mj-text>{% if contact.country == "FR" %}La livraison vous est offerte.{% else %}Delivery is on us.{% endif %}</mj-text>
<mj-button href="https://shop.example/new?from=mail">Les nouveautés</mj-button>
<mj-text><a href="https://shop.example/books/1">Livre 1</a> <a href="https://shop.example/books/2">Livre 2</a>
<a href="https://shop.example/books/3">Livre 3</a></mj-text>
<mj-text>Vous avez {{ contact.attributes.points }} points.
<a href="https://shop.example/account">Votre compte</a></mj-text>
<mj-text><a href="{{ unsubscribe_url }}">Se désinscrire</a></mj-text></mj-column></mj-section>
</mj-body></mjml>"""


class _Server(asyncio.Protocol):
    """As little of SMTP as both need."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer, self.content = transport, b"", False
        transport.write(b"220 bench ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.buffer:
            if self.content:
                if not self.buffer.endswith(b"\r\n.\r\n"):
                    return
                self.buffer, self.content = b"", False
                self.transport.write(b"250 2.0.0 Kept\r\n")
                return
            line, ended, rest = self.buffer.partition(b"\r\n")
            if not ended:
                return
            self.buffer = rest
            self._command(line[:4].upper())

    def _command(self, verb: bytes) -> None:
        if verb == b"EHLO":
            self.transport.write(b"250-bench\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 10485760\r\n")
        elif verb == b"DATA":
            self.content = True
            self.transport.write(b"354 Go\r\n")
        elif verb == b"QUIT":
            self.transport.write(b"221 Bye\r\n")
            self.transport.close()
        else:
            self.transport.write(b"250 OK\r\n")


def serve(port: int) -> None:
    """Take mails until the process is ended."""
    import uvloop

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(forever())


@contextmanager
def _served() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-c", f"from benchmarks import mail; mail.serve({port})"]
    process = subprocess.Popen(command, cwd=ROOT)
    time.sleep(1.5)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def prepare() -> None:
    """Make the contacts, who opted in, and the message."""
    setup_django()
    from parcours.accounts.models import Account
    from parcours.contacts import actions as contacts
    from parcours.lib import clock
    from parcours.messaging.models import Message

    account = Account.objects.get()
    Account.objects.filter(pk=account.pk).update(sender_name="La librairie", sender_email="news@shop.example")
    for start in range(0, MAILS, 5_000):
        lines = [
            {
                "email": f"p{number}@example.org",
                "first_name": f"Prénom{number}",
                "country": "FR" if number % 2 else "BE",
                "attributes": {"points": number},
                "consents": {"email": "opted_in"},
            }
            for number in range(start, start + 5_000)
        ]
        refused = contacts.upsert_many(account, lines, source="import", now=clock.now()).refused
        if refused:
            raise RuntimeError(f"{len(refused)} contacts were refused: {refused[0]}")
    Message.objects.create(
        account=account, name="News", subject="{{ contact.first_name }}, les nouveautés", mjml=_MJML
    )


def send() -> dict[str, float]:
    """Queue a mail to everyone and send them all; answers the seconds of sending."""
    setup_django()
    from parcours.config.worker import quieten
    from parcours.contacts.models import Contact
    from parcours.lib import clock
    from parcours.messaging import work
    from parcours.messaging.actions import NewSend, queue
    from parcours.messaging.models import Message, Send

    quieten()
    message = Message.objects.get()
    people = list(Contact.objects.values_list("pk", flat=True))
    before = Send.objects.filter(status="sent").count()
    queue([NewSend(message.account_id, message.pk, person) for person in people], now=clock.now())
    started, worked = time.perf_counter(), _processor()
    while work.round():
        pass
    seconds, processor = time.perf_counter() - started, _processor() - worked
    sent = Send.objects.filter(status="sent").count() - before
    if sent != MAILS:
        raise RuntimeError(f"{sent} mails were accepted instead of {MAILS}.")
    return {"seconds": seconds, "processor": processor}


def sign() -> None:
    """Make a key for the sender's domain: mails are signed from now on."""
    setup_django()
    from parcours.accounts.models import Account
    from parcours.lib import clock
    from parcours.messaging import domains

    domains.create(Account.objects.get(), domain="shop.example", selector="bench", now=clock.now())


def bare(port: int) -> dict[str, float]:
    """Hand a constant message to the same server; answers the seconds."""
    import aiosmtplib
    import uvloop

    line = b"Bonjour, voici un message qui ne change jamais, et qui dit peu de choses.\r\n"
    head = b"From: news@shop.example\r\nTo: p@example.org\r\nSubject: Constant\r\nMessage-ID: <1@shop.example>\r\n\r\n"
    content = head + line * (8_000 // len(line))

    async def one(count: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for _ in range(count):
                await client.sendmail("news@shop.example", ["p@example.org"], content)

    async def every() -> None:
        await asyncio.gather(*(one(MAILS // CONNECTIONS) for _ in range(CONNECTIONS)))

    started, worked = time.perf_counter(), _processor()
    uvloop.run(every())
    return {"seconds": time.perf_counter() - started, "processor": _processor() - worked}


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run() -> list[Figure]:
    """Both, in turns."""
    ours, theirs, mine, yardstick = [], [], [], []
    with (
        _served() as port,
        installation(
            PARCOURS_EMAIL_URL=f"smtp://127.0.0.1:{port}", PARCOURS_EMAIL_CONNECTIONS=str(CONNECTIONS)
        ) as site,
    ):
        apart("mail.prepare", site.environment)
        for _ in range(TURNS):
            told, constant = apart("mail.send", site.environment), apart("mail.bare", site.environment, port)
            ours.append(MAILS / told["seconds"])
            theirs.append(MAILS / constant["seconds"])
            mine.append(told["processor"] / MAILS * 1e6)
            yardstick.append(constant["processor"] / MAILS * 1e6)
        apart("mail.sign", site.environment)
        signed = apart("mail.send", site.environment)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return [
        Figure(
            "e-mails rendered, personalised, tracked and handed to a local SMTP server, without DKIM",
            f"{statistics.median(ours):,.0f}/s ({statistics.median(mine):.0f} µs of its processor each)",
            f"a bare aiosmtplib loop, one constant message: {statistics.median(theirs):,.0f}/s"
            f" ({statistics.median(yardstick):.0f} µs)",
            ratio,
            "≥ 0.4",
            ratio >= 0.4,
        ),
        Figure(
            "the same, signed by DKIM (RSA, 2,048 bits)",
            f"{MAILS / signed['seconds']:,.0f}/s ({signed['processor'] / MAILS * 1e6:.0f} µs of its processor each)",
        ),
    ]
