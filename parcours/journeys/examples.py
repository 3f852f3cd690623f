"""Journeys to begin with, made with the account's own lists and messages."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts.models import List
from parcours.messaging.models import Message


class Example(NamedTuple):
    """A journey to begin with: `key` is its name in an address."""

    key: str
    title: str
    about: str
    document: dict[str, Any]


def examples(account: Account) -> list[Example]:
    """What there is to begin with; ids that the account does not have yet are left for the reader to fill."""
    first_list = List.objects.filter(account=account).order_by("pk").first()
    found = list(Message.objects.filter(account=account, channel="email").order_by("pk")[:2])
    chosen = str(first_list.pk) if first_list else ""
    first = str(found[0].pk) if found else ""
    second = str(found[-1].pk) if found else ""
    joined = {"triggers": [{"type": "list_joined", "list": chosen}]}
    return [
        Example(
            "welcome",
            _("Welcome"),
            _("Who joins a list receives a message, and another three days later."),
            {
                "name": _("Welcome"),
                "entry": joined,
                "start": "hello",
                "steps": [
                    {"id": "hello", "type": "send_email", "message": first, "next": "rest"},
                    {"id": "rest", "type": "delay", "for": "3d", "next": "again"},
                    {"id": "again", "type": "send_email", "message": second, "next": "end"},
                    {"id": "end", "type": "end"},
                ],
            },
        ),
        Example(
            "reminder",
            _("Reminder before the first order"),
            _("Who joins a list and orders nothing within a week receives a reminder."),
            {
                "name": _("Reminder before the first order"),
                "entry": joined,
                "start": "order",
                "steps": [
                    {
                        "id": "order",
                        "type": "wait_for",
                        "event": "order.placed",
                        "timeout": "7d",
                        "then": "end",
                        "else": "remind",
                    },
                    {"id": "remind", "type": "send_email", "message": first, "next": "end"},
                    {"id": "end", "type": "end"},
                ],
            },
        ),
        Example(
            "thanks",
            _("Thanks after each order"),
            _("After each order of 50 or more, a thank-you the next day."),
            {
                "name": _("Thanks after each order"),
                "entry": {
                    "triggers": [
                        {
                            "type": "event",
                            "event": "order.placed",
                            "where": [{"property": "total", "op": "gte", "value": 50}],
                        }
                    ],
                    "mode": "multiple",
                    "key": "order_id",
                },
                "start": "rest",
                "steps": [
                    {"id": "rest", "type": "delay", "for": "1d", "next": "thanks"},
                    {"id": "thanks", "type": "send_email", "message": first},
                ],
            },
        ),
    ]
