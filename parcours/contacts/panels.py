"""Parts of a contact's page that packages above fill: each is a fragment fetched by its address.

A package registers a panel in its `apps.py`; the page knows no more of it than its title and its address.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise


@dataclass(frozen=True)
class Panel:
    """One part: `url_name` is a page that takes a contact's id and answers a fragment of HTML.

    `wide` panels stand beside the timeline, the others under the profile; they are listed by `order`.
    """

    title: Promise | str
    url_name: str
    order: int
    wide: bool = False

    def url(self, contact_id: int) -> str:
        """The fragment's address for a contact."""
        return reverse(self.url_name, args=[contact_id])


_panels: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    """Add a part to the contact's page; the same `url_name` again replaces it."""
    _panels[panel.url_name] = panel


def panels() -> list[Panel]:
    """Every part, in its order."""
    return sorted(_panels.values(), key=lambda panel: (panel.order, panel.url_name))
