"""The account switcher, for users of several accounts."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from parcours.accounts.access import current_actor
from parcours.accounts.models import Member
from parcours.ui.navigation import AccountChoice


def choices(request: HttpRequest) -> list[AccountChoice]:
    """The reader's accounts, the present one marked."""
    actor = getattr(request, "actor", None) or current_actor(request)
    if actor is None or actor.user is None:
        return []
    members = Member.objects.filter(user=actor.user).select_related("account").order_by("account__name", "pk")
    return [
        AccountChoice(
            name=member.account.name,
            url=reverse("settings:switch", args=[member.account_id]),
            current=member.account_id == actor.account_id,
        )
        for member in members
    ]
