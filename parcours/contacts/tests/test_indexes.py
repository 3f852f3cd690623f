"""The indexes of contacts serve what they are for: people looked up by their keys, and the order in which they came."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st

from parcours.contacts import folding, queries
from parcours.contacts.audience import Audience
from parcours.contacts.models import Contact
from parcours.contacts.tests.conftest import Shop
from parcours.lib import clock
from parcours.lib.instants import to_ms

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PEOPLE = 5_000


@pytest.fixture
def crowd(shop: Shop) -> Shop:
    """Enough contacts that PostgreSQL looks into an index; a tenth have a number, a fifth another system's id."""
    now = to_ms(clock.now())
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO contacts_contact (account_id, email, phone, external_id, attributes, consent_email,"
            " consent_sms, consent_whatsapp, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, '{}', 'pending', 'pending', 'pending', %s, %s)",
            [
                (
                    shop.account.pk,
                    f"p{number}@example.org",
                    f"+336{number:08d}" if number % 10 == 0 else None,
                    f"x{number}" if number % 5 == 0 else None,
                    now,
                    now,
                )
                for number in range(PEOPLE)
            ],
        )
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE contacts_contact")
    return shop


def plans(captured: CaptureQueriesContext) -> str:
    """How the database did what was asked of the contacts."""
    told: list[Any] = []
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    for query in list(captured.captured_queries):
        if "FROM contacts_contact" in query["sql"] or 'FROM "contacts_contact"' in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"{explain} {query['sql']}")
                told += [row[-1] for row in cursor.fetchall()]
    return "\n".join(told)


@pytest.mark.parametrize("kind", ["email", "phone", "external_id"])
def test_a_key_leads_to_its_contact(crowd: Shop, kind: str) -> None:
    value = {"email": "p20@example.org", "phone": "+33600000020", "external_id": "x20"}[kind]
    with CaptureQueriesContext(connection) as captured:
        (found,) = queries.resolve(crowd.account.pk, [{kind: value}], country="FR")
        (same,) = queries.by_key(crowd.account.pk, country="FR", **{kind: value})
    assert found == same.pk == Contact.objects.get(email="p20@example.org").pk
    assert f"contact_{kind}" in plans(captured) or "autoindex" in plans(captured)
    assert "SCAN contacts_contact" not in plans(captured)
    assert "Seq Scan on contacts_contact" not in plans(captured)


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_the_order_of_coming_is_read_from_its_index(crowd: Shop, sort: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        page = Audience().page(crowd.account, sort=sort, cursor="", size=50)
    assert len(page.ids) == 50
    assert page.ids == sorted(page.ids, reverse=sort == "newest")
    plan = plans(captured)
    if connection.vendor == "sqlite":
        assert "contact_living" in plan
        assert "TEMP B-TREE" not in plan


@given(st.text(max_size=130), st.text(max_size=130))
@example("ΟΔΟΣ", "ΣΑΣ")
@example("Zoé", "\u0301e")
def test_names_sort_by_their_parts_as_by_the_whole(first: str, last: str) -> None:
    shown = " ".join(part for part in (first, last) if part)
    assert folding.sort_name(first, last) == (
        folding.folded(shown)[: folding.LONGEST_SORT_NAME].strip() or None
    )
