"""The second factor of users (time-based codes and recovery codes, by django-allauth), and what an account asks for."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth import update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest

from parcours.accounts.models import Account, User

#: What counts as a second factor; recovery codes alone are only its spare.
_KINDS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_set(user: User) -> bool:
    """Whether the user has a second factor."""
    return Authenticator.objects.filter(user=user, type__in=_KINDS).exists()


def is_missing(account: Account, user: User) -> bool:
    """Whether the account asks its members for a second factor that this one does not have."""
    return account.second_factor_required and not is_set(user)


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """End every session of the user's but this one."""
    User.objects.filter(pk=user.pk).update(sessions=F("sessions") + 1)
    user.refresh_from_db(fields=["sessions"])
    update_session_auth_hash(request, user)


def changed(request: HttpRequest, user: User, **_signal: Any) -> None:
    """A user's second factor was added, taken away or renewed: whoever else has a session signs in again."""
    end_other_sessions(request, user)
