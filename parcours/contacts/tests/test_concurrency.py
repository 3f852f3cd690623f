"""Writers that meet: the same people taken in by several connections at once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from parcours.contacts import actions
from parcours.contacts.models import Contact
from parcours.contacts.tests.conftest import Shop
from parcours.lib import clock

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_the_same_people_at_once_are_made_once_and_no_increment_is_lost() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("The test database is in memory: its connections are one.")
    shop = Shop()
    (counted,) = shop.add({"email": "count@example.org", "attributes": {"n": 0}})
    lines = [{"email": f"p{n}@example.org", "tags": ["x"]} for n in range(300)]
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _turn in range(5):
                assert not actions.upsert_many(shop.account, lines, source="trial", now=clock.now()).refused
                actions.update_fields(
                    shop.account, [counted], increments={"attributes.n": 1}, source="trial", now=clock.now()
                )
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Contact.objects.count() == 301
    assert Contact.objects.get(pk=counted).attributes == {"n": 20}
