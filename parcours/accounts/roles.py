"""What each role may do: the one table of capability × role.

| | read | write | send | admin | own |
| --- | --- | --- | --- | --- | --- |
| owner | yes | yes | yes | yes | yes |
| admin | yes | yes | yes | yes | |
| marketer | yes | yes | yes | | |
| analyst | yes | | | | |

`read`: look at everything and export it. `write`: change what belongs to the account. `send`: write to people or
let them into journeys. `admin`: the account's settings, keys, members and plan. `own`: name owners and take their
place away. Scopes of API keys are the first four; `admin` holds the three before it. Each page and operation
declares the capability that it needs (`access.page`, `api_auth.needs`); `tests/architecture/routes.py` holds them all.
"""

from __future__ import annotations

from parcours.accounts.models import Member

READ, WRITE, SEND, ADMIN, OWN = "read", "write", "send", "admin", "own"
#: What an API key can be allowed, from the least to the most.
SCOPES = (READ, WRITE, SEND, ADMIN)

CAPABILITIES: dict[str, frozenset[str]] = {
    Member.Role.OWNER: frozenset({READ, WRITE, SEND, ADMIN, OWN}),
    Member.Role.ADMIN: frozenset({READ, WRITE, SEND, ADMIN}),
    Member.Role.MARKETER: frozenset({READ, WRITE, SEND}),
    Member.Role.ANALYST: frozenset({READ}),
}


def of_scopes(scopes: list[str]) -> frozenset[str]:
    """What a key of these scopes may do."""
    return frozenset(SCOPES) if ADMIN in scopes else frozenset(scopes) & frozenset(SCOPES)
