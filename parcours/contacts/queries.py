"""What contacts are now, read for many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection
from django.db.models import BigIntegerField, BooleanField, Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from parcours.contacts import normalise
from parcours.contacts import search as searching
from parcours.contacts.lines import CHANNELS, NAMED_BY, whole_id
from parcours.contacts.merging.people import by_former_keys, survivors
from parcours.contacts.models import AttributeDefinition, Contact, List, ListMember
from parcours.lib import bulk
from parcours.lib.instants import from_ms, iso

_TEXTS = (
    "email",
    "phone",
    "external_id",
    "first_name",
    "last_name",
    "locale",
    "timezone",
    "country",
    "city",
)
_CONSENTS = tuple(f"consent_{channel}" for channel in CHANNELS)
_SELECT = (
    f"SELECT id, account_id, {', '.join(_TEXTS)}, {', '.join(_CONSENTS)}, created_at, updated_at, last_seen_at,"
    " attributes, erased_at FROM contacts_contact"
)
#: A statement's columns are not without end.
_ATTRIBUTES_AT_ONCE = 200
_NAMES = ("contact", "account", *_TEXTS, *_CONSENTS, "created_at", "updated_at", "last_seen_at")


def snapshot(contact_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Contacts as they are now, everything of them, in three queries for however many.

    The keys are the columns of the event store's `profiles` (texts are "" when there is none, instants are
    milliseconds since 1970, `gone` is 1 for the erased), and `attributes`, as the contact has them. Ids that name
    nobody are left out. The order is that of the ids in the database, not of those given.
    """
    ids = list(contact_ids)
    if not ids:
        return []
    mine, bound = bulk.among("id", ids)
    theirs, contacts = bulk.among("contact_id", ids)
    lists: dict[int, list[int]] = {}
    tags: dict[int, list[str]] = {}
    people = []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT contact_id, list_id FROM contacts_listmember WHERE {theirs} ORDER BY list_id", [contacts]
        )
        for contact_id, list_id in cursor.fetchall():
            lists.setdefault(contact_id, []).append(list_id)
        cursor.execute(f"SELECT contact_id, name FROM contacts_tag WHERE {theirs} ORDER BY name", [contacts])
        for contact_id, name in cursor.fetchall():
            tags.setdefault(contact_id, []).append(name)
        cursor.execute(f"{_SELECT} WHERE {mine} ORDER BY id", [bound])
        for row in cursor.fetchall():
            person = dict(zip(_NAMES, row[:-2], strict=True))
            for name in _TEXTS:
                person[name] = person[name] or ""
            person["attributes"] = msgspec.json.decode(row[-2])
            person["lists"] = lists.get(row[0], [])
            person["tags"] = tags.get(row[0], [])
            person["gone"] = 0 if row[-1] is None else 1
            people.append(person)
    return people


def as_json(people: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Snapshots in the shape in which the API writes a contact; ids are text, what there is none of is null."""
    return [
        {
            "id": str(person["contact"]),
            **{name: person[name] or None for name in _TEXTS},
            "attributes": person["attributes"],
            "consents": {channel: person[f"consent_{channel}"] for channel in CHANNELS},
            "lists": [str(list_id) for list_id in person["lists"]],
            "tags": person["tags"],
            "created_at": iso(from_ms(person["created_at"])),
            "updated_at": iso(from_ms(person["updated_at"])),
            "last_seen_at": None if person["last_seen_at"] is None else iso(from_ms(person["last_seen_at"])),
        }
        for person in people
    ]


def described(contact_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Contacts as the API writes them, in the order of the ids given."""
    people = {person["contact"]: person for person in snapshot(contact_ids)}
    return as_json([people[contact_id] for contact_id in contact_ids if contact_id in people])


def living(account_id: int) -> QuerySet[Contact]:
    """The account's contacts but the erased."""
    return Contact.objects.filter(account_id=account_id, erased_at__isnull=True)


def search(account_id: int, *, text: str = "", country: str = "FR") -> QuerySet[Contact]:
    """Contacts of whom every word of the text begins a word: of their name, address, number or external id.

    A whole address that somebody has means them alone: “example” and “org” would be looked for among everybody.
    """
    if not text.strip():
        return living(account_id)
    if address := whole_address(account_id, text):
        return living(account_id).filter(email=address)
    matching = searching.matching(account_id, text, country=country)
    return living(account_id).filter(pk__in=matching) if matching else living(account_id).none()


def named_by(field: str, account_id: int, *, text: str, country: str) -> Q:
    """The rows of another table whose contact (`field` is its column) a search finds, as `search` does."""
    if address := whole_address(account_id, text):
        return Q(**{f"{field}__in": living(account_id).filter(email=address).values("pk")})
    matching = searching.matching(account_id, text, country=country)
    # The erased bear no words.
    return Q(**{f"{field}__in": matching}) if matching else Q(pk__in=[])


def whole_address(account_id: int, text: str) -> str | None:
    """The address of a contact that a text is, normalised; None when it is none, or nobody has it."""
    try:
        address = normalise.email(text)
    except normalise.Unfit:
        return None
    return address if living(account_id).filter(email=address).exists() else None


def by_key(account_id: int, *, country: str, **keys: str) -> QuerySet[Contact]:
    """The contact of an email, phone or external_id as somebody typed it; nobody when it cannot be one."""
    found = living(account_id)
    try:
        for kind, value in keys.items():
            if kind == "email":
                key = normalise.email(value)
            elif kind == "phone":
                key = normalise.phone(value, country=country)
            else:
                key = normalise.external_id(value)
            former = by_former_keys(account_id, {kind: [key]}).values()
            found = found.filter(Q(**{kind: key}) | Q(pk__in=list(former)))
    except normalise.Unfit:
        return found.none()
    return found


def resolve(account_id: int, references: Sequence[dict[str, Any]], *, country: str) -> list[int | None]:
    """Whom references such as `{"email": …}` or `{"id": …}` name, in four queries; None for nobody or for two."""
    columns: dict[str, dict[Any, int]] = {}
    wanted: list[dict[str, Any]] = []
    for reference in references:
        keys: dict[str, Any] = {}
        try:
            for name, value in reference.items():
                if name == "id":
                    keys[name] = whole_id(value) or 0
                elif name == "email":
                    keys[name] = normalise.email(value) if isinstance(value, str) else ""
                elif name == "phone":
                    keys[name] = normalise.phone(value, country=country) if isinstance(value, str) else ""
                elif name == "external_id":
                    keys[name] = normalise.external_id(value)
        except normalise.Unfit:
            keys = {"id": 0}
        wanted.append(keys)
    with connection.cursor() as cursor:
        for column in NAMED_BY:
            values = list({keys[column] for keys in wanted if column in keys})
            if not values:
                continue
            among, bound = bulk.among(column, values)
            cursor.execute(
                f"SELECT {column}, id FROM contacts_contact"
                f" WHERE account_id = %s AND erased_at IS NULL AND {among}",
                [account_id, bound],
            )
            columns[column] = dict(cursor.fetchall())
    _add_former(account_id, columns, wanted)
    answers: list[int | None] = []
    for keys in wanted:
        named = {columns.get(column, {}).get(value) for column, value in keys.items()}
        answers.append(named.pop() if len(named) == 1 else None)
    return answers


def _add_former(
    account_id: int, columns: dict[str, dict[Any, int]], wanted: Sequence[dict[str, Any]]
) -> None:
    """Whom the ids and keys of people merged away name now, where nobody has them."""
    asked = {
        column: {keys[column] for keys in wanted if column in keys} - found.keys()
        for column, found in columns.items()
    }
    for (kind, key), contact in by_former_keys(account_id, asked).items():
        columns[kind][key] = contact
    columns.get("id", {}).update(survivors(account_id, asked.get("id", ())))


def lists(account_id: int) -> QuerySet[List]:
    """The account's lists with `members`, how many contacts are on each."""
    # Each list is counted by its index alone; joined and grouped, a million rows would be carried along.
    rows = ListMember.objects.filter(list=OuterRef("pk")).order_by().values("list")
    count = Subquery(rows.annotate(members=Count("pk")).values("members"))
    return List.objects.filter(account_id=account_id).annotate(members=Coalesce(count, 0))


def attribute_types(account_id: int) -> dict[str, str]:
    """The account's custom attributes and their types."""
    return dict(
        AttributeDefinition.objects.filter(account_id=account_id).order_by("name").values_list("name", "type")
    )


def bearers(account_id: int, names: Sequence[str]) -> dict[str, int]:
    """How many of the account's contacts have a value of each attribute: one reading of them for all."""
    sqlite = connection.vendor == "sqlite"
    told: dict[str, int] = {}
    plain = []
    for name in names:
        if sqlite and _unnamable(name):
            told[name] = bearing(living(account_id), name).count()
        else:
            plain.append(name)
    has = "json_type(attributes, %s) IS NOT NULL" if sqlite else "jsonb_exists(attributes, %s)"
    paths = [f'$."{name}"' for name in plain] if sqlite else plain
    for first in range(0, len(plain), _ATTRIBUTES_AT_ONCE):
        some = plain[first : first + _ATTRIBUTES_AT_ONCE]
        columns = ", ".join([f"count(CASE WHEN {has} THEN 1 END)"] * len(some))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {columns} FROM contacts_contact WHERE account_id = %s AND erased_at IS NULL",
                [*paths[first : first + _ATTRIBUTES_AT_ONCE], account_id],
            )
            told.update(zip(some, cursor.fetchone(), strict=True))
    return told


def _unnamable(name: str) -> bool:
    """Whether a path of SQLite's JSON cannot name an attribute."""
    return '"' in name or "\\" in name


def bearing(found: QuerySet[Contact], name: str) -> QuerySet[Contact]:
    """Those of contacts who have a value of an attribute: each is looked at, no index knows."""
    if connection.vendor != "sqlite":
        return found.filter(attributes__has_key=name)
    if _unnamable(name):
        each = "SELECT c.id FROM contacts_contact c, json_each(c.attributes) e WHERE e.key = %s"
        field: BigIntegerField[int, int] = BigIntegerField()
        return found.filter(pk__in=RawSQL(each, [name], output_field=field))  # noqa: S611 - bound
    # Django writes the accents of a path as escapes, which SQLite does not read.
    has = "json_type(contacts_contact.attributes, %s) IS NOT NULL"
    return found.filter(RawSQL(has, [f'$."{name}"'], output_field=BooleanField()))  # noqa: S611 - bound
