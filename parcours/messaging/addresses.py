"""Mail addresses as they go on the wire (RFC 5321, 6531, 5890)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache

import idna
from django.utils.translation import gettext as _

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f]+")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"')
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class BadAddress(ValueError):
    """A text that is not a mail address; the message is a sentence."""


@dataclass(frozen=True)
class Address:
    """A mail address with its domain as A-labels; `international` when the local part is not ASCII (SMTPUTF8)."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def international(self) -> bool:
        return not self.local.isascii()


@lru_cache(maxsize=10_000)
def a_label(domain: str) -> str:
    """A domain as the wire bears it. Raises BadAddress."""
    try:
        encoded = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise BadAddress(_("“%(domain)s” is not a domain name.") % {"domain": domain}) from error
    if len(encoded) > 253 or _DOMAIN.fullmatch(encoded) is None:
        raise BadAddress(_("“%(domain)s” is not a domain name.") % {"domain": domain})
    return encoded


def read(text: str) -> Address:
    """A bare address, without a name. Raises BadAddress; address literals (`[127.0.0.1]`) are refused."""
    local, _at, domain = text.rpartition("@")
    whole = _ATOMS.fullmatch(local) is not None and not local.startswith(".") and not local.endswith(".")
    if _UNSAFE.search(text) or not ((whole and ".." not in local) or _QUOTED.fullmatch(local)):
        raise BadAddress(_("“%(text)s” is not an e-mail address.") % {"text": _UNSAFE.sub("�", text)})
    if len(local.encode()) > 64:
        raise BadAddress(_("The part of an e-mail address before the @ has 64 characters at most."))
    address = Address(local, a_label(domain))
    if len(str(address).encode()) > 254:
        raise BadAddress(_("An e-mail address has 254 characters at most."))
    return address


def read_sender(text: str) -> tuple[str, str]:
    """The name and the address of a sender written `Name <address>` or alone. Raises BadAddress."""
    if _UNSAFE.search(text):
        raise BadAddress(_("A sender holds no line break and no control character."))
    text = text.strip()
    bare = re.fullmatch(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>", text)
    if bare is not None:
        name, address = bare["name"].strip().strip('"').strip(), bare["address"].strip()
    else:
        name, address = parseaddr(text)
        address = address or text
    read(address)
    return name, address
