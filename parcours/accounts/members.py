"""The members of an account: invited by e-mail, their role, their leaving.

An account never loses its last owner, and only owners name owners or take their place away.
"""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from parcours.accounts import log
from parcours.accounts.access import OWN, Actor, member_actor
from parcours.accounts.models import Account, Invitation, Member, User
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, Invalid, NotFound, Problem
from parcours.lib.signing import BadToken, sign, unsign

#: How long the link of an invitation lasts, in the product's time.
LASTS = timedelta(days=7)
_KIND = "invitation"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sent:
    """An invitation, and whether a mail with its link left."""

    invitation: Invitation
    mailed: bool


def link(invitation: Invitation) -> str:
    """The address by which the invited person joins; void once the invitation is sent again, taken or withdrawn."""
    token = sign(_KIND, invitation.pk, to_ms(invitation.sent_at))
    return settings.PUBLIC_URL + reverse("invitation", args=[token])


def ends_at(invitation: Invitation) -> datetime:
    """Until when the link holds."""
    return invitation.sent_at + LASTS


def of_token(token: str, *, now: datetime) -> Invitation:
    """The invitation of a link. Raises NotFound when it is forged, too old, replaced, taken or withdrawn."""
    try:
        number, sent_at = unsign(_KIND, token, count=2)
    except BadToken:
        number = sent_at = 0
    found = Invitation.objects.filter(pk=number).select_related("account", "invited_by").first()
    if found is None or to_ms(found.sent_at) != sent_at or ends_at(found) <= now:
        raise NotFound(_("This invitation is no longer valid. Ask for another one."))
    return found


def invite(actor: Actor, *, email: str, role: str, now: datetime) -> Sent:
    """Offer a place to an address, by mail when the installation sends mail.

    Raises Invalid for a bad address or role, and for who is a member or invited already.
    """
    email = email.strip().lower()
    faults: list[Fault] = []
    try:
        validate_email(email)
    except ValidationError:
        faults.append({"pointer": "/email", "detail": _("This is not an e-mail address.")})
    if role not in offered(actor):
        faults.append({"pointer": "/role", "detail": _("You cannot give this role.")})
    account = actor.account
    if Member.objects.filter(account=account, user__email=email).exists():
        faults.append({"pointer": "/email", "detail": _("This person is a member already.")})
    if faults:
        raise Invalid(_("The invitation cannot be sent."), faults)
    with transaction.atomic():
        invitation, fresh = Invitation.objects.get_or_create(
            account=account, email=email, defaults={"role": role, "invited_by": actor.user, "sent_at": now}
        )
        if not fresh:
            detail = _("This person is invited already: send the invitation again instead.")
            raise Invalid(_("The invitation cannot be sent."), [{"pointer": "/email", "detail": detail}])
        log.note(actor, "member.invited", f"{email} ({invitation.get_role_display()})")
    return Sent(invitation, _mail(invitation))


def resend(invitation: Invitation, *, now: datetime) -> Sent:
    """Send another link, which lasts as long again; the one before is void."""
    invitation.sent_at = max(now, invitation.sent_at + timedelta(milliseconds=1))
    invitation.save(update_fields=["sent_at"])
    return Sent(invitation, _mail(invitation))


def withdraw(actor: Actor, invitation: Invitation) -> None:
    """Take the invitation back: its link opens nothing any more."""
    with transaction.atomic():
        log.note(actor, "invitation.withdrawn", invitation.email)
        invitation.delete()


def offered(actor: Actor) -> list[str]:
    """The roles that the actor may give."""
    return [role for role in Member.Role.values if role != Member.Role.OWNER or actor.allows(OWN)]


def join_as_new(invitation: Invitation, *, name: str, password: str) -> User:
    """Make the invited person's user, and a member of it. Raises Invalid for a weak password."""
    user = User(email=invitation.email, name=name.strip(), language=get_language() or "")
    try:
        validate_password(password, user)
    except ValidationError as error:
        faults: list[Fault] = [{"pointer": "/password", "detail": " ".join(error.messages)}]
        raise Invalid(_("The password is too weak."), faults) from error
    with transaction.atomic():
        if User.objects.filter(email=invitation.email).exists():
            raise Problem(409, "conflict", _("This address signs in already: sign in to join."))
        user.set_password(password)
        user.save()
        join(invitation, user)
    return user


def join(invitation: Invitation, user: User) -> Member:
    """Make the user a member as invited, once; the invitation is gone. Raises Problem for another's invitation."""
    if user.email != invitation.email:
        raise Problem(403, "forbidden", _("This invitation is for another address."))
    with transaction.atomic():
        member, fresh = Member.objects.get_or_create(
            account=invitation.account, user=user, defaults={"role": invitation.role}
        )
        if fresh:
            log.note(member_actor(member), "member.joined", member.get_role_display())
        invitation.delete()
    return member


def change_role(actor: Actor, member: Member, role: str) -> None:
    """Give a member another role. Raises Problem when the actor may not, Conflict for the last owner."""
    if role not in offered(actor):
        raise Problem(403, "forbidden", _("You cannot give this role."))
    with transaction.atomic():
        _settle(actor, member)
        if role != Member.Role.OWNER:
            _keep_an_owner(member)
        if role == member.role:
            return
        member.role = role
        member.save(update_fields=["role"])
        log.note(actor, "member.role", f"{member.user.email} ({member.get_role_display()})")


def remove(actor: Actor, member: Member) -> None:
    """End a membership at once; the user and what they made stay. Raises as `change_role` does."""
    with transaction.atomic():
        _settle(actor, member)
        _keep_an_owner(member)
        log.note(actor, "member.removed", member.user.email)
        member.delete()


def _settle(actor: Actor, member: Member) -> None:
    """Hold the account's members, so that two changes at once cannot leave it without an owner."""
    Account.objects.select_for_update().get(pk=member.account_id)
    member.refresh_from_db()
    if member.role == Member.Role.OWNER and not actor.allows(OWN):
        raise Problem(403, "forbidden", _("Only an owner can change an owner's place."))


def _keep_an_owner(member: Member) -> None:
    others = Member.objects.filter(account_id=member.account_id, role=Member.Role.OWNER).exclude(pk=member.pk)
    if member.role == Member.Role.OWNER and not others.exists():
        detail = _("This is the account's last owner: name another one first.")
        raise Problem(409, "conflict", detail)


def _mail(invitation: Invitation) -> bool:
    """Whether a mail with the link left; the page shows the link in any case."""
    if not settings.EMAIL_URL:
        return False
    by = invitation.invited_by
    told = {
        "account": invitation.account.name,
        "by": (by.name or by.email) if by else "",
        "role": invitation.get_role_display(),
        "link": link(invitation),
        "days": LASTS.days,
    }
    subject = _("You are invited to “%(account)s” on Parcours") % {"account": invitation.account.name}
    body = render_to_string("accounts/invitation_mail.txt", told)
    try:
        EmailMessage(" ".join(subject.split()), body, to=[invitation.email]).send()
    except (OSError, smtplib.SMTPException) as error:
        _log.warning("invitation not mailed", error=str(error), invitation=invitation.pk)
        return False
    return True
