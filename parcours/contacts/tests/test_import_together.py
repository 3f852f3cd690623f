"""Chunks of a file that share a transaction: what becomes of each is what would become of it alone."""

from __future__ import annotations

import pytest
from django.db import connection

from parcours.contacts.importing import taking
from parcours.contacts.importing.models import ImportPart
from parcours.contacts.tests.conftest import Shop
from parcours.lib import bulk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_uploads")]
LINES = 11_000  # three chunks


def body() -> bytes:
    """Lines of people of whom some are named again a chunk later, and some cannot be read."""
    lines = ["email,external_id,attributes.points"]
    for number in range(2, LINES + 2):
        name = f"p{number - 6_000 if number % 1_000 == 500 and number > 6_000 else number}@example.org"
        lines.append(f"{name if number % 2_000 else 'nobody'},,{number}.50")
    return "\n".join(lines).encode()


@pytest.mark.database
@pytest.mark.parametrize("seconds", [0.0, 60.0], ids=["alone", "together"])
def test_chunks_may_share_a_transaction(shop: Shop, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(taking, "_LONGEST_SECONDS", seconds)
    job = shop.take(body())
    assert job["status"] == "finished", job["error"]
    assert [each["line"] for each in job["refused"]] == [2_000, 4_000, 6_000, 8_000, 10_000]
    assert (job["accepted"], job["result"]["updated"]) == (LINES - 5, 5)
    assert job["result"]["created"] == LINES - 5 - 5
    assert ImportPart.objects.count() == 3
    # Declared as a text by the first chunk, hence a text to those whose cells had been read before that.
    assert shop.people()["p500@example.org"]["attributes"] == {"points": "6500.50"}
    assert shop.people()["p10999@example.org"]["attributes"] == {"points": "10999.50"}


def test_long_writing_maps_no_file_in_memory() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL maps nothing into its clients.")

    def mapped() -> list[tuple[int]]:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA mmap_size")
            return cursor.fetchall()

    before = mapped()
    with bulk.unmapped():
        assert mapped() in ([(0,)], [])
    assert mapped() == before
