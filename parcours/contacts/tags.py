"""The tags of an account: a tag is there as long as a contact bears it. They are renamed, merged, deleted in bulk."""

from __future__ import annotations

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _

from parcours.accounts.models import Account, Job
from parcours.contacts import bulk, uses
from parcours.contacts.audience import Audience
from parcours.contacts.models import Tag
from parcours.lib.problems import NotFound

#: How many names a page offers to choose from.
OFFERED = 1_000
#: From each name to the next in the index, past the millions of contacts who may bear it.
_NAMES = """
    WITH RECURSIVE found(name) AS (
        SELECT min(name) FROM contacts_tag WHERE account_id = %s
        UNION ALL
        SELECT (SELECT min(name) FROM contacts_tag WHERE account_id = %s AND name > found.name)
        FROM found WHERE found.name IS NOT NULL
    )
    SELECT name FROM found WHERE name IS NOT NULL LIMIT %s
"""


def counts(account_id: int, *, search: str = "") -> list[tuple[str, int]]:
    """Each tag's name with how many contacts bear it, by name; those whose name holds the text."""
    rows = Tag.objects.filter(account_id=account_id)
    if search:
        rows = rows.filter(name__icontains=search)
    found = rows.values_list("name").annotate(contacts=Count("pk"))
    return sorted(found, key=lambda each: (each[0].casefold(), each[0]))


def offered(account_id: int) -> list[str]:
    """Names to choose from, by name; not all of them when there are very many."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [account_id, account_id, OFFERED])
        return sorted((row[0] for row in cursor.fetchall()), key=str.casefold)


def check(account_id: int, name: str) -> str:
    """The tag's name. Raises NotFound when no contact of the account bears it."""
    if "\0" in name or not Tag.objects.filter(account_id=account_id, name=name).exists():
        raise NotFound(_("No contact bears this tag."))
    return name


def rename(account: Account, name: str, by: str, *, user: int | None = None) -> Job:
    """Have those who bear a tag bear another one instead: a new name, or one that is there, which merges the two.

    Raises NotFound, Invalid, and Problem (409) while something uses the tag.
    """
    check(account.pk, name)
    uses.refuse_while_used(account.pk, "tag", name)
    return bulk.start(account, Audience(tag=name), "replace_tag", {"tag": name, "by": by}, user=user)


def delete(account: Account, name: str, *, user: int | None = None) -> Job:
    """Take a tag from everybody. Raises NotFound, and Problem (409) while something uses it."""
    check(account.pk, name)
    uses.refuse_while_used(account.pk, "tag", name)
    return bulk.start(account, Audience(tag=name), "remove_tag", {"tag": name}, user=user)
