"""Single sign-on by OpenID Connect: whom it lets in. It opens no account by itself."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from parcours.accounts import members
from parcours.accounts.models import Invitation, User
from parcours.lib import clock


class Adapter(DefaultSocialAccountAdapter):
    """Known users by their address, which the provider must call verified, and people who were invited."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Tie who comes for the first time to their user of the same address."""
        user = User.objects.filter(email=_address(sociallogin)).first()
        if user is not None and not sociallogin.is_existing:
            sociallogin.connect(request, user)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(_invitations(sociallogin))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        """Make the user of an invited person, and a member wherever they are invited."""
        invited = _invitations(sociallogin)
        with transaction.atomic():
            user = super().save_user(request, sociallogin, form)
            for invitation in invited:
                members.join(invitation, user)
        return user

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        user = super().populate_user(request, sociallogin, data)
        names = (data.get("first_name"), data.get("last_name"))
        user.email = (user.email or "").lower()
        user.name = str(data.get("name") or " ".join(filter(None, names)))[:200]
        return user


def _address(sociallogin: SocialLogin) -> str:
    """The person's address when it is known to be theirs, else nothing."""
    for each in sociallogin.email_addresses:
        if each.verified or settings.SSO_TRUST_EMAIL:
            return each.email.strip().lower()
    return ""


def _invitations(sociallogin: SocialLogin) -> list[Invitation]:
    address = _address(sociallogin)
    if not address:
        return []
    found = Invitation.objects.filter(email=address).select_related("account")
    return [each for each in found if members.ends_at(each) > clock.now()]
