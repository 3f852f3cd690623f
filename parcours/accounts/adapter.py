"""How signing in differs from allauth's ways."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: accounts are made by the operator (`parcours account create`)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
