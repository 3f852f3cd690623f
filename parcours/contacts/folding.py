"""Texts without case nor accents: how names sort, and how the words of a search are compared with them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Beyond, the ends of names say nothing for their order.
LONGEST_SORT_NAME = 120


#: The accents of Latin letters, which are nearly all marks that names bear.
_ACCENTS = re.compile("[\u0300-\u036f]+")


def folded(text: str) -> str:
    """A text without case nor accents, as the event store's `name_folded` and `keys_folded` are."""
    if text.isascii():
        return text.lower()
    marked = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    if marked.isascii():
        return marked.lower()
    return "".join(one for one in marked if unicodedata.category(one) != "Mn").lower()


#: First names are few, and a good part of the last ones too.
_folded_name = lru_cache(maxsize=10_000)(folded)


def sort_name(first_name: str | None, last_name: str | None) -> str | None:
    """What a contact's name sorts by, as it is shown: the first name first; None where there is no name."""
    shown = " ".join([_folded_name(part) for part in (first_name, last_name) if part])
    return shown[:LONGEST_SORT_NAME].strip() or None
