"""Takes erased people out of what is kept of refused lines: the sentences of jobs, and the lines of imports."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from parcours.accounts import jobs
from parcours.contacts.importing import keeping

_SAID = _("The line was of a person erased since.")
_SHORTEST_KEY = 5
_DIGITS_THAT_TELL = 9
_BETWEEN_DIGITS = str.maketrans("", "", " .-()/\u00a0\u202f")


class Naming:
    """Says whether a text names one of some people: an address, an external id or a number, however it is spaced."""

    def __init__(self, keys: Iterable[str]) -> None:
        wanted = sorted({key.lower() for key in keys if len(key) >= _SHORTEST_KEY})
        self._keys = [key for key in wanted if not key.startswith("+")]
        self._numbers = [key[-_DIGITS_THAT_TELL:] for key in wanted if key.startswith("+")]
        # An address is not another one's end: marc@x.fr is not meant by jean-marc@x.fr.
        self._whole = re.compile(
            rf"(?<![\w.+-])(?:{'|'.join(map(re.escape, self._keys)) or '(?!)'})(?![\w-])"
        )

    def __call__(self, text: str) -> bool:
        lower = text.lower()
        if any(key in lower for key in self._keys) and self._whole.search(lower):
            return True
        if not self._numbers:
            return False
        digits = text.translate(_BETWEEN_DIGITS)
        return any(number in digits for number in self._numbers)


def scrub(account_id: int, keys: Iterable[str]) -> None:
    """Empty each refusal of the account that names one of the people who had these keys; the line's number stays."""
    names = Naming(keys)
    jobs.empty_refusals(account_id, names, said=_SAID)
    keeping.empty_refusals(account_id, names, said=_SAID)
