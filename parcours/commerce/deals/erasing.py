"""Takes erased people out of the names of their deals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from parcours.commerce.models import Deal
from parcours.lib import bulk

_SHORTEST = 2
_LEFT_OUT = "…"


def forget(
    *, account_id: int, people: Sequence[tuple[int, Any, Any]], words: Iterable[str], **_kwargs: Any
) -> None:
    """In the transaction of an erasure: what names the people goes from the names of the deals that they were ever tied
    to. A name of which no word is left becomes the deal's number."""
    named = re.compile(
        rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(_pieces(words), key=len, reverse=True)))})(?!\w)",
        re.IGNORECASE,
    )
    contacts = [contact for contact, _email, _phone in people]
    deals = Deal.objects.filter(account_id=account_id, ties__contact_id__in=contacts).distinct()
    renamed = []
    for pk, name in deals.values_list("pk", "name"):
        left = named.sub(_LEFT_OUT, name)
        if left != name:
            renamed.append((left if re.search(r"\w", left) else f"#{pk}", pk))
    bulk.update_many("commerce_deal", ("name",), renamed)


def _pieces(words: Iterable[str]) -> set[str]:
    """The words, and of an address what stands before its @. A letter alone says nothing."""
    pieces = {piece for word in words for piece in (word, word.partition("@")[0])}
    return {piece for piece in pieces if len(piece) >= _SHORTEST} or {"\0"}
