"""Countries and languages by their names in the reader's language: what contacts and events bear are codes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale

from parcours.contacts import naming
from parcours.ui import formats

_LANGUAGES = (
    "ar ca da de el en es et fi fr he hr hu it ja ko lt lv nl no pl pt ro ru sk sl sv tr uk zh".split()
)


@dataclass(frozen=True)
class Codes:
    """Codes of a kind, each with its name; `named` gives a code back when it knows none."""

    known: Callable[[], Collection[str]]
    named: Callable[[str], str]

    def names(self, account_id: int, ids: Collection[str]) -> dict[str, str]:
        """code -> name; whatever is no code is left out."""
        said = {id: self.named(id) for id in ids}
        return {id: name for id, name in said.items() if name != id}

    def search(self, account_id: int, text: str, limit: int) -> list[tuple[str, str]]:
        """(code, name) of those whose name holds the text; none for no text: those that contacts bear are enough."""
        if not text.strip():
            return []
        return naming.best(((code, self.named(code)) for code in self.known()), text, limit)

    def url(self, id: str) -> str:
        """They have no page."""
        return ""


@lru_cache(maxsize=1)
def _countries() -> tuple[str, ...]:
    """The codes of ISO 3166-1: two letters, those that stand for no country left out."""
    known = (str(code) for code in Locale.parse("en").territories)
    return tuple(code for code in known if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES)


#: The European Union, the euro zone, the United Nations, Sark, what is unknown, and pseudo-regions of Unicode's.
_NO_COUNTRIES = frozenset(("EU", "EZ", "UN", "CQ", "QO", "XA", "XB", "ZZ"))

countries = Codes(_countries, formats.country)
languages = Codes(lambda: _LANGUAGES, formats.language)
