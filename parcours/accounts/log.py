"""The account's log: who did what matters for safety."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from parcours.accounts.access import Actor
from parcours.accounts.models import Deed

KINDS: dict[str, Promise] = {
    "settings.changed": _("Changed the settings"),
    "plan.changed": _("Changed the plan"),
    "second_factor.asked": _("Asked every member for a second factor"),
    "second_factor.left": _("Left the second factor to each member"),
    "member.invited": _("Invited"),
    "invitation.withdrawn": _("Withdrew the invitation"),
    "member.joined": _("Joined the account"),
    "member.role": _("Changed the role"),
    "member.removed": _("Removed from the account"),
    "key.made": _("Made the API key"),
    "key.revoked": _("Revoked the API key"),
    "contacts.exported": _("Exported contacts"),
    "contacts.erased": _("Erased contacts"),
}


def note(actor: Actor, what: str, about: str = "") -> None:
    """Write that the actor did `what` (one of KINDS); `about` tells to whom or to what, never more than needed."""
    if what not in KINDS:
        raise ValueError(what)
    who = actor.user.email if actor.user else actor.key.name if actor.key else ""
    Deed.objects.create(
        account=actor.account, what=what, who=who[:320], by_key=actor.key is not None, about=about[:400]
    )
