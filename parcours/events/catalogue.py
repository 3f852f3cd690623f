"""Every event of the contract: what it is called, what it means, who can do it, and what it can be filtered on."""

from __future__ import annotations

from parcours.events import event_table
from parcours.events.event_table import BROWSER_FILTERS
from parcours.events.event_types import EventType, Words

__all__ = [
    "BROWSER_FILTERS",
    "CATEGORIES",
    "EVENTS",
    "EventType",
    "anonymous_allowed",
    "category",
    "is_inside",
    "is_known",
    "label",
    "refusal",
]

EVENTS: dict[str, EventType] = {
    name: EventType(name, Words(fr, en), Words(meaning_fr, meaning_en), anonymous, filters)
    for name, anonymous, fr, en, meaning_fr, meaning_en, filters in event_table.happening()
} | {
    name: EventType(
        name, Words(fr, en), Words(f"{fr}.", f"{en}."), anonymous=False, filters=(), family="inside"
    )
    for name, fr, en in event_table.inside()
}

CATEGORIES: frozenset[str] = frozenset(event.category for event in EVENTS.values())


def category(name: str) -> str:
    """The part of an event's name before its dot."""
    return name.partition(".")[0]


def is_known(name: str) -> bool:
    """Whether the event is of the catalogue; any other is a custom event."""
    return name in EVENTS


def is_inside(name: str) -> bool:
    """Whether the event is one of those that tell what happened inside the system."""
    return name in EVENTS and EVENTS[name].family == "inside"


def anonymous_allowed(name: str) -> bool:
    """Whether an event of a visitor tied to no contact counts: those marked A, and custom ones."""
    event = EVENTS.get(name)
    return event is None or event.anonymous


def refusal(name: str) -> str | None:
    """Why an event of this name cannot be taken (a stable English sentence for programs), or None."""
    if name not in EVENTS and "." in name and category(name) in CATEGORIES:
        return f"“{name}” is not an event of the category “{category(name)}”."
    return None


def label(name: str, language: str) -> str:
    """What an event is called in a language; a custom event bears its own name."""
    event = EVENTS.get(name)
    return event.label.said(language) if event else name
