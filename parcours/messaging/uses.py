"""What messages use of contacts: the attributes that their contents name."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import pgettext_lazy

from parcours.contacts.uses import User
from parcours.messaging.models import Message


def users(account_id: int) -> Iterator[User]:
    """The messages and their contents."""
    rows = Message.objects.filter(account_id=account_id).order_by("name", "pk")
    for message in rows.only("name", "subject", "mjml", "html", "text").iterator():
        yield User(
            kind="message",
            label=pgettext_lazy("kind", "Message"),
            id=message.pk,
            name=message.name,
            url=reverse("messages:edit", args=[message.pk]),
            texts=(message.subject, message.mjml, message.html, message.text),
        )
