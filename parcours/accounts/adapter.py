"""How signing in differs from allauth's ways."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse

from parcours.lib import sealing


class Adapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: accounts are made by the operator (`parcours account create`)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Where one came from, not the form once more."""
        return reverse("settings:security")


class SecondFactorAdapter(DefaultMFAAdapter):
    """The secrets of second factors are kept sealed."""

    def encrypt(self, text: str) -> str:
        return sealing.seal(text.encode())

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text).decode()
