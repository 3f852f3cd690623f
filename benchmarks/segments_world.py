"""A world for segments: contacts with twenty attributes and what they did in 300 days, laid by the engine itself.

Everything comes from numbers and hashes, the same at each run. Events are in the order of time (a load holds ten
thousand neighbours), two in ten are of visitors, of whom six in ten are tied to a contact.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from clickhouse_connect.driver.exceptions import OperationalError

DAYS = 300
DAY_MS = 86_400_000
LOAD = 10_000
NAMES = (
    "page.viewed",
    "product.viewed",
    "cart.updated",
    "order.placed",
    "email.opened",
    "email.clicked",
    "cta.viewed",
)
SHARES = (50, 68, 76, 80, 92, 95, 100)
"""Of a hundred events, those of the names until each."""
CATEGORIES = ("novels", "shoes", "garden", "music", "toys", "tools", "food", "sport")
TEXTS = (
    *("plan", "kind", "colour", "shop", "owner", "language"),
    *("source", "industry", "size", "persona", "stage", "team"),
)
NUMBERS = ("points", "age", "orders", "spent", "visits", "score", "rank", "weight")
_STEP = 5_000_000
_NOBODY = "toUUID('00000000-0000-0000-0000-000000000000')"


def text_of(name: str, number: str) -> str:
    """SQL that SQLite, PostgreSQL and the store read alike: a contact's value, a to e, of a text attribute."""
    place = TEXTS.index(name)
    return f"substr('abcde', 1 + ({number} / {5 ** (place % 8)} + {place}) % 5, 1)"


def number_of(name: str, number: str) -> str:
    """The same, of a number attribute: 0 to 999."""
    return f"(({number} * 7919 + {NUMBERS.index(name) * 104_729}) % 1000)"


def lay(account: Any, *, events: int, contacts: int, now: int) -> None:
    """Lay the world in the store and in the state database; `now` (ms) is when it ends."""
    from parcours.contacts.models import AttributeDefinition
    from parcours.events.models import Load
    from parcours.events.store.client import writer
    from parcours.lib.instants import from_ms

    store = writer()

    def run(statement: str) -> None:
        store.command(statement, settings={"max_execution_time": 3600, "max_partitions_per_insert_block": 0})

    for first in range(0, events, _STEP):
        some = min(_STEP, events - first)
        run(_events(account.pk, first=first, some=some, events=events, contacts=contacts, now=now))
    run(_profiles(account.pk, contacts=contacts, now=now))
    run(
        f"INSERT INTO links (account, visitor, merged, contact, load) SELECT {account.pk},"
        f" reinterpretAsUUID(toUInt128(number + 1)), 0, number + 1, 1 FROM numbers({contacts})"
        " WHERE cityHash64(number) % 10 < 6"
    )
    for table in ("events", "profiles", "links"):
        # A merge of the full world outlasts the client's patience, and goes on without it (`settle` waits for it).
        with contextlib.suppress(OperationalError):
            run(f"OPTIMIZE TABLE {table} FINAL")
    settle()
    for kind, names in (("text", TEXTS), ("number", NUMBERS)):
        for name in names:
            AttributeDefinition.objects.create(account=account, name=name, type=kind)
    _people(account.pk, contacts=contacts, now=now)
    at = from_ms(now)
    Load.objects.create(
        id=events // LOAD + 1,
        account_id=account.pk,
        status="done",
        accepted_upto=at,
        done_at=at,
        created_at=at,
    )


def settle(*, seconds: float = 3600) -> None:
    """Wait until the store no longer merges what was laid."""
    from parcours.events.store.client import writer

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not writer().query("SELECT count() FROM system.merges").result_rows[0][0]:
            return
        time.sleep(1)


def _events(account: int, *, first: int, some: int, events: int, contacts: int, now: int) -> str:
    """One step of the events, from a number on."""
    name = "multiIf({}, '')".format(
        ", ".join(f"h % 100 < {share}, {name!r}" for share, name in zip(SHARES, NAMES, strict=True))
    )
    apart = DAYS * DAY_MS // events
    return f"""
        INSERT INTO events (account, name, contact, visitor, occurred_at, received_at, message_id, texts, numbers,
            properties, load, position)
        SELECT {account}, {name} AS name, if(anonymous, 0, person) AS contact,
            if(anonymous, reinterpretAsUUID(toUInt128(person)), {_NOBODY}) AS visitor,
            fromUnixTimestamp64Milli(toInt64({now} - ({events} - number) * {apart}), 'UTC') AS occurred_at, occurred_at,
            hex(cityHash64(number, 5)),
            map('url', [concat('https://shop.example', path)], 'path', [path], 'category', [category],
                'browser', [['Firefox', 'Chrome', 'Safari'][1 + cityHash64(number, 7) % 3]],
                'device_type', [['desktop', 'mobile'][1 + cityHash64(number, 8) % 2]],
                'total', [toString(total)]) AS texts,
            map('total', [toDecimal128(total, 10)]) AS numbers,
            concat('{{"url":"', texts['url'][1], '","path":"', path, '","category":"', category, '","browser":"',
                texts['browser'][1], '","device_type":"', texts['device_type'][1], '","total":', toString(total), '}}'),
            intDiv(number, {LOAD}) + 1, number % {LOAD}
        FROM (SELECT number, cityHash64(number, 1) AS h, cityHash64(number, 3) % 10 < 2 AS anonymous,
                1 + cityHash64(number, 2) % {contacts} AS person, cityHash64(number, 9) % 200 AS total,
                concat('/p/', toString(cityHash64(number, 6) % 500)) AS path,
                {list(CATEGORIES)}[1 + cityHash64(number, 10) % 8] AS category
            FROM numbers({first}, {some}))"""


def _profiles(account: int, *, contacts: int, now: int) -> str:
    texts = [f"'{name}', [{text_of(name, 'intDiv(number, 1)').replace(' / ', ' DIV ')}]" for name in TEXTS]
    texts += [f"'{name}', [toString({number_of(name, 'number')})]" for name in NUMBERS]
    numbers = [f"'{name}', [toDecimal128({number_of(name, 'number')}, 10)]" for name in NUMBERS]
    return f"""
        INSERT INTO profiles SELECT {account}, number + 1, concat('c', toString(number), '@example.org'), '',
            concat('u', toString(number)), concat('First', toString(number % 500)),
            concat('Last', toString(number % 700)), 'fr', 'Europe/Paris', ['FR', 'BE', 'CH', 'CA'][1 + number % 4],
            'Paris', fromUnixTimestamp64Milli(toInt64({now} - {400 * DAY_MS}), 'UTC') AS made, made, NULL,
            ['opted_in', 'opted_out', 'pending'][1 + number % 3], 'pending', 'pending', [], [],
            map({", ".join(texts)}), map({", ".join(numbers)}), 0, 1 FROM numbers({contacts})"""


def _people(account: int, *, contacts: int, now: int) -> None:
    """The same contacts in the state database."""
    from django.db import connection

    pairs = [f"'{name}', {text_of(name, 'i')}" for name in TEXTS]
    pairs += [f"'{name}', {number_of(name, 'i')}" for name in NUMBERS]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO contacts_contact (id, account_id, email, external_id, first_name, last_name, sort_name,
                locale, timezone, country, city, attributes, consent_email, consent_sms, consent_whatsapp,
                created_at, updated_at)
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {contacts})
            SELECT i + 1, {account}, 'c' || i || '@example.org', 'u' || i, 'First' || (i % 500), 'Last' || (i % 700),
                'first' || (i % 500) || ' last' || (i % 700), 'fr', 'Europe/Paris',
                substr('FRBECHCA', 1 + 2 * (i % 4), 2), 'Paris', json_object({", ".join(pairs)}),
                CASE i % 3 WHEN 0 THEN 'opted_in' WHEN 1 THEN 'opted_out' ELSE 'pending' END, 'pending', 'pending',
                {now - 400 * DAY_MS}, {now - 400 * DAY_MS} FROM n"""
        )


def criteria(number: int) -> dict[str, Any]:
    """The segment of a number: an attribute, a count of events with a property in a window, and “has not done”.

    A hundred of them differ in all of it; neighbours share nothing but names.
    """
    seen = ("product.viewed", "product.viewed", "cart.updated", "page.viewed", "order.placed")[number % 5]
    where: dict[str, Any] = {"property": "category", "op": "eq", "value": CATEGORIES[number % 8]}
    if seen == "page.viewed":
        where = {"property": "path", "op": "starts_with", "value": f"/p/{1 + number % 4}"}
    elif seen == "order.placed":
        where = {"property": "total", "op": "gte", "value": 50 + number % 50}
    missing = ("order.placed", "email.clicked", "email.opened", "cta.viewed")[number // 5 % 4]
    field: dict[str, Any] = {
        "field": f"attributes.{TEXTS[number % 12]}",
        "op": "eq",
        "value": "abcde"[number % 5],
    }
    if number % 3 == 2:
        field = {"field": f"attributes.{NUMBERS[number % 8]}", "op": "gte", "value": 700 + number}
    return {
        "all": [
            field,
            {
                "event": seen,
                "where": [where],
                "window": {"last": f"{30 + 3 * (number % 21)}d"},
                "count": {"op": "gte", "value": 1 + number % 2},
            },
            {
                "event": missing,
                "window": {"last": f"{60 + number % 31}d"},
                "count": {"op": "eq", "value": 0},
            },
        ]
    }
