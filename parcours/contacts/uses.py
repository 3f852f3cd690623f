"""What uses an attribute, a tag, a list or a message: asked before one of them is renamed or deleted.

The packages above register who tells of their documents (`register`): the criteria of segments, journeys, the
contents of messages. Here they are read for what they mention, all in one pass.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from parcours.lib.problems import Problem

Kind = Literal["attribute", "tag", "list", "message"]
Mention = tuple[Kind, str]

#: How a template names an attribute: `contact.attributes.points`, `contact.attributes["birth date"]`.
_IN_TEMPLATE = re.compile(r"""attributes(?:\.([\w-]+)|\[\s*(?:"([^"]+)"|'([^']+)')\s*\])""")
_PREFIX = "attributes."
_BY_ID: dict[Any, Kind] = {"list": "list", "message": "message"}


@dataclass(frozen=True)
class User:
    """Something that may use them: its kind (`segment`, `journey`, …, and `label` as people call it), where its page
    is, and what it says."""

    kind: str
    label: Promise | str
    id: int
    name: str
    url: str
    documents: tuple[Any, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Use:
    """One use, as pages and answers tell it."""

    kind: str
    label: str
    id: int
    name: str
    url: str
    by_name: bool = (
        False  # it only says the name, as a template does: what holds of the value does not matter to it
    )

    def __str__(self) -> str:
        return _("%(kind)s “%(name)s”") % {"kind": self.label, "name": self.name}

    def as_json(self) -> dict[str, str]:
        """The same for programs."""
        return {"kind": self.kind, "id": str(self.id), "name": self.name}


Finder = Callable[[int], Iterable[User]]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Say who else may use them: `finder(account_id)` tells of each, one by one."""
    if finder not in _finders:
        _finders.append(finder)


@dataclass
class Uses:
    """Everything that an account uses, and where."""

    found: dict[Mention, list[Use]] = field(default_factory=lambda: defaultdict(list))

    def of(self, kind: Kind, key: str | int) -> list[Use]:
        """Where an attribute or a tag of this name, or a list or a message of this id, is used."""
        return self.found.get((kind, str(key)), [])


def of_account(account_id: int) -> Uses:
    """What the account's segments, journeys and messages use."""
    uses = Uses()
    for finder in _finders:
        for user in finder(account_id):
            mentions: set[Mention] = set()
            for document in user.documents:
                mentions.update(mentioned(document))
            depends = frozenset(mentions)
            for text in user.texts:
                mentions.update(
                    ("attribute", next(filter(None, found))) for found in _IN_TEMPLATE.findall(text)
                )
            for mention in mentions:
                by_name = mention not in depends
                use = Use(user.kind, str(user.label), user.id, user.name, user.url, by_name)
                uses.found[mention].append(use)
    return uses


def mentioned(document: Any) -> Iterator[Mention]:
    """The attributes, tags, lists and messages that criteria or a journey's document name, at whatever depth."""
    todo = [document]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if isinstance(key, str) and key.startswith(_PREFIX):
                    yield "attribute", key.removeprefix(_PREFIX)
                if key == "tag" and isinstance(value, str):
                    yield "tag", value
                elif key in _BY_ID and isinstance(value, str | int) and not isinstance(value, bool):
                    yield _BY_ID[key], str(value)
                elif key in ("field", "unset") or isinstance(value, dict | list):
                    todo.append(value)
        elif isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, str) and node.startswith(_PREFIX):
            yield "attribute", node.removeprefix(_PREFIX)


def refuse_while_used(account_id: int, kind: Kind, key: str | int, *, by_name: bool = True) -> None:
    """Raises Problem (409 `in-use`) with the names of what uses it, `by_name` alone or not."""
    found = [use for use in of_account(account_id).of(kind, key) if by_name or not use.by_name]
    if found:
        names = ", ".join(str(use) for use in found[:20])
        detail = _("It is used by: %(names)s.") % {"names": names}
        raise Problem(409, "in-use", detail, more={"uses": [use.as_json() for use in found]})
