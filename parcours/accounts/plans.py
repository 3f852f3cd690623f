"""What an account's plan allows: `free` builds, `full` activates too."""

from __future__ import annotations

from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.lib.problems import Problem


def require_full(account: Account) -> None:
    """Raises Problem `plan-required` (403) on the free plan."""
    if account.plan == Account.Plan.FREE:
        raise Problem(403, "plan-required", _("Your plan lets you build, not activate."))
