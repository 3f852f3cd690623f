"""What the catalogue holds of an event: its texts, in both languages side by side, and what it can be filtered on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Words:
    """A text in the two languages of the product."""

    fr: str
    en: str

    def said(self, language: str) -> str:
        """The text in a language ("fr", "fr-ca", "en"…); English when it is neither."""
        return self.fr if language.startswith("fr") else self.en


@dataclass(frozen=True, slots=True)
class Filter:
    """A property that reports and criteria can filter on."""

    property: str
    label: Words


@dataclass(frozen=True, slots=True)
class EventType:
    """An event of the catalogue. `anonymous`: an anonymous visitor can do it."""

    name: str
    label: Words
    meaning: Words
    anonymous: bool
    filters: tuple[Filter, ...]
    family: Literal["event", "inside"] = "event"

    @property
    def category(self) -> str:
        """The part of the name before its dot."""
        return self.name.partition(".")[0]
