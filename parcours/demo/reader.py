"""The audience at work: it reads the mail that the sink received, and acts through pixel and links alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from html import unescape

import structlog
import urllib3

from parcours.demo.audience import HUMAN_AGENT, MACHINE_AGENT, Reaction, reaction
from parcours.messaging import sink

log = structlog.get_logger(__name__)

_PIXEL = re.compile(r'<img[^>]+src="([^"]+/o/[^"]+)"')
_LINK = re.compile(r'<a[^>]+href="([^"]+/c/[^"]+)"')
_BATCH = 200


class Reader:
    """Reads each mail once, oldest first, and reacts to it as its recipient would; `after` is the last one read."""

    def __init__(self, *, after: int) -> None:
        self.after = after
        self._pool = urllib3.PoolManager(
            maxsize=8, timeout=10, retries=urllib3.Retry(3, redirect=0, backoff_factor=0.3)
        )
        self._hands = ThreadPoolExecutor(max_workers=8, thread_name_prefix="audience")

    def read(self) -> bool:
        """Read the mails that came since; answers whether there were any."""
        mails = sink.read_mailbox(after=self.after, limit=_BATCH)
        if not mails:
            return False
        list(self._hands.map(self._react, mails))
        self.after = mails[-1].id
        return True

    def _react(self, mail: sink.SunkMail) -> None:
        message = mail.message()
        does = reaction(mail.recipient, str(message["Subject"]))
        try:
            self._act(message, does)
        except urllib3.exceptions.HTTPError as error:
            log.warning("the audience could not act", error=str(error))

    def _act(self, message: EmailMessage, does: Reaction) -> None:
        body = message.get_body(preferencelist=("html",))
        html = body.get_content() if body is not None else ""
        if does.prefetched:
            self._get(_PIXEL.findall(html), MACHINE_AGENT)
        if does.opens:
            self._get(_PIXEL.findall(html), HUMAN_AGENT)
        if does.clicks:
            self._get(_LINK.findall(html)[:1], HUMAN_AGENT)
        if does.unsubscribes and message["List-Unsubscribe"]:
            address = str(message["List-Unsubscribe"]).strip("<> ")
            self._pool.request(
                "POST", address, fields={"List-Unsubscribe": "One-Click"}, encode_multipart=False
            )

    def _get(self, addresses: Iterable[str], agent: str) -> None:
        for address in addresses:
            self._pool.request("GET", unescape(address), headers={"User-Agent": agent}, redirect=False)
