"""The customers of the demonstration: CDNOW's real purchases, under invented names.

Everything is derived from the customer's number, so that two runs tell the same story and a plain script can tell
what must be found at the end.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

DATA = Path(__file__).parent / "data" / "cdnow.txt.gz"

_FIRST = (
    "Camille Louise Emma Jade Alice Chloé Inès Léa Manon Zoé Anaïs Élise Noémie Aurore Maëlle Gabriel Léo Raphaël "
    "Louis Jules Adam Hugo Lucas Nathan Théo Antoine Olivier Étienne François Benoît Grace Olivia Amelia Ruby Hannah "
    "Oliver Harry George Noah Owen Mia Sofia Matteo Lena Felix Clara Nils Ida Anouk Bram"
).split()
_LAST = (
    "Martin Bernard Dubois Moreau Laurent Lefèvre Mercier Garnier Faure Rousseau Tremblay Gagnon Roy Côté Bouchard "
    "Gauthier Morin Lavoie Fortin Pelletier Bélanger Lévesque Smith Jones Taylor Brown Wilson Evans Thomas Roberts "
    "Walker Wright Hall Green Baker Clarke Müller Schmidt Fischer Weber Jansen Peeters Rossi Ferrari García López"
).split()
_PLACES = (
    ("FR", "fr", "Europe/Paris", "Lyon"),
    ("FR", "fr", "Europe/Paris", "Nantes"),
    ("CA", "fr", "America/Toronto", "Montréal"),
    ("CA", "en", "America/Vancouver", "Vancouver"),
    ("BE", "fr", "Europe/Brussels", "Liège"),
    ("CH", "fr", "Europe/Zurich", "Lausanne"),
    ("GB", "en", "Europe/London", "Bristol"),
    ("US", "en", "America/New_York", "Portland"),
)


def draw(*parts: object) -> int:
    """A number from 0 to 9,999 that depends on nothing but its arguments."""
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 10_000


@dataclass(frozen=True)
class Purchase:
    """One line of the file, its date shifted so that the last of all is on the chosen day."""

    number: int  # of the line, from 1
    customer: str
    day: date
    quantity: int
    dollars: str  # as written, two decimals

    @property
    def occurred_at(self) -> datetime:
        """An instant of that day, UTC: the file tells the day only."""
        return datetime.combine(self.day, time(8), tzinfo=UTC) + timedelta(
            seconds=draw("hour", self.number) * 4
        )


def purchases(*, last_day: date) -> Iterator[Purchase]:
    """Every purchase of the file, in its order, shifted to end on `last_day`."""
    lines = gzip.decompress(DATA.read_bytes()).decode("ascii").splitlines()[1:]
    shift = last_day - date(1998, 6, 30)
    for number, line in enumerate(filter(str.strip, lines), start=1):
        customer, day, quantity, dollars = line.split()
        when = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        yield Purchase(number, customer, when + shift, int(quantity), dollars)


@dataclass(frozen=True)
class Customer:
    """An invented person for a customer's number."""

    number: str

    @property
    def first_name(self) -> str:
        return _FIRST[draw("first", self.number) % len(_FIRST)]

    @property
    def last_name(self) -> str:
        return _LAST[draw("last", self.number) % len(_LAST)]

    @property
    def email(self) -> str:
        return f"client{self.number}@example.org"

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Country, locale, time zone and city."""
        return _PLACES[draw("place", self.number) % len(_PLACES)]

    @property
    def consent(self) -> str:
        """Most agreed to be written to; a few left, a few never said."""
        lot = draw("consent", self.number)
        return "opted_out" if lot < 300 else "pending" if lot < 700 else "opted_in"
