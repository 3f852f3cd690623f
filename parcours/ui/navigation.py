"""The entries of the sidebar; each package registers its own from its `apps.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise


@dataclass(frozen=True)
class Item:
    """One entry of the sidebar.

    `label` is lazily translated; `icon` a file of `ui/icons`; `url_name` what `reverse` knows; entries are listed
    by `order`, those of section `settings` below the others. `under` are other address prefixes that light it up.
    """

    label: Promise | str
    icon: str
    url_name: str
    order: int
    section: Literal["main", "settings"] = "main"
    under: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True)
class Entry:
    """An item as a page shows it."""

    label: Promise | str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True)
class AccountChoice:
    """One of the accounts that the reader may work in; choosing it POSTs to `url`."""

    name: str
    url: str
    current: bool


AccountChoices = Callable[[HttpRequest], Sequence[AccountChoice]]

_items: dict[str, Item] = {}
_accounts: list[AccountChoices] = []


def register(item: Item) -> None:
    """Add an entry to the sidebar; the same `url_name` again replaces it."""
    _items[item.url_name] = item


def register_accounts(choices: AccountChoices) -> None:
    """Say where the account switcher gets its choices from."""
    _accounts[:] = [choices]


def items() -> list[Item]:
    """Every entry, in the order of the sidebar."""
    return sorted(_items.values(), key=lambda item: (item.section != "main", item.order, item.url_name))


def accounts(request: HttpRequest) -> Sequence[AccountChoice]:
    """The reader's accounts, the present one marked."""
    return _accounts[0](request) if _accounts else ()


def entries(path: str) -> dict[str, list[Entry]]:
    """The sidebar for a page's address: the entry with the longest address above it is the current one."""
    known = items()
    best, length = None, 0
    for item in known:
        for prefix in (item.url, *item.under):
            if len(prefix) > length and (path == prefix or path.startswith(prefix.rstrip("/") + "/")):
                best, length = item, len(prefix)
    sections: dict[str, list[Entry]] = {"main": [], "settings": []}
    for item in known:
        sections[item.section].append(Entry(item.label, item.icon, item.url, item is best))
    return sections
