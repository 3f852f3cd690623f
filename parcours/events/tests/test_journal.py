"""The journal carries every kind of entry, whole and in order, and loses none that it acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from parcours.events import journal
from parcours.events.entries import Call, Entry, Event, Line, Linked, Membership, Moved, Parked, Said, Touched
from parcours.events.models import JournalRow

ONE_OF_EACH: list[Entry] = [
    Event(
        "page.viewed",
        1,
        2,
        "m1",
        visitor="0" * 31 + "1",
        properties={"url": "https://x.example/é", "n": [1, 2.5, None]},
    ),
    Call("track", Said(event="x", properties={"a": {"b": [True, None]}}), 1, 2, "m2"),
    Line("order.placed", 1, 2, "m3", {"email": "a@example.org"}, None, {"total": 10}, history=True),
    Touched([1, 2, 3]),
    Linked("0" * 32, 7),
    Membership(1, 2, True, 3),
    Moved(1, 2, True, 3, False, [4, 5]),
    Parked(1, 2, "s", 3, 4, 5, 6, 7, True),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_every_kind_of_entry_is_read_back_as_written() -> None:
    assert journal.decode(journal.encode(ONE_OF_EACH)) == ONE_OF_EACH
    many = ONE_OF_EACH * 500
    assert journal.decode(journal.encode(many)) == many
    assert len(journal.encode(many)) < 30_000


@pytest.mark.django_db
@pytest.mark.database
def test_a_row_holds_so_much_of_many_contacts() -> None:
    many = list(range(1, 20_001))
    journal.append([Moved(1, 2, True, 3, True, many) for _ in range(3)], account_id=1)
    assert list(JournalRow.objects.order_by("pk").values_list("count", flat=True)) == [2_501] * 3


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_properties_are_read_back_as_written(properties: dict[str, object]) -> None:
    event = Event("x", 1, 2, "m", properties=properties)
    assert journal.decode(journal.encode([event])) == [event]


def test_a_row_written_by_a_later_version_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot read"):
        journal.decode(b"\x09abc")


@pytest.mark.database
@pytest.mark.django_db
def test_append_splits_large_batches_and_keeps_their_order() -> None:
    events = [Event("x", i, i, f"m{i}") for i in range(journal.MOST_ENTRIES * 2 + 1)]
    journal.append(events, account_id=5)
    journal.append([], account_id=5)
    rows = list(JournalRow.objects.order_by("id"))
    assert [row.count for row in rows] == [5_000, 5_000, 1]
    assert {(row.account_id, row.shard) for row in rows} == {(5, journal.shard_of(5))}
    assert [entry for row in rows for entry in journal.decode(row.body)] == events


@pytest.mark.django_db(transaction=True)
def test_append_belongs_to_the_callers_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        journal.append(ONE_OF_EACH, account_id=1)
        raise RuntimeError
    assert not JournalRow.objects.exists()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_collectors_rows_reach_the_digest_from_any_thread() -> None:
    collected = journal.open_collector_journal(writer=True)
    rows = [(5, journal.shard_of(5), 1, 7, journal.encode(ONE_OF_EACH))] * 3
    thread = threading.Thread(target=collected.append_many, args=(rows,))
    thread.start()
    thread.join()
    shard = journal.shard_of(5)
    found = collected.read(0, 10, shard=shard) if collected.separate else list(JournalRow.objects.all())
    collected.trim(max(row.id for row in found), shard=shard)
    collected.close()
    assert [(row.account_id, row.shard, row.count) for row in found] == [(5, shard, 1)] * 3
    assert journal.decode(found[0].body) == ONE_OF_EACH


def new_row(number: int, *, account: int = 1) -> journal.NewRow:
    return account, 0, 1, number, journal.encode([Touched([number])])


def test_the_collectors_file_keeps_order_between_threads(tmp_path: Path) -> None:
    file = journal.SQLiteJournal(tmp_path / "collector.sqlite3")

    def write(start: int) -> None:
        for number in range(start, start + 20):
            file.append_many([new_row(number), new_row(number + 1000)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = file.read(0, 1000)
    assert len(rows) == 120
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    numbers = [row.created_at for row in rows]
    assert [n for n in numbers if n < 100] == list(range(20))
    assert [b - a for a, b in zip(numbers[::2], numbers[1::2], strict=True)] == [1000] * 60
    assert file.read(rows[9].id, 5) == rows[10:15]
    assert file.read(0, 5, shard=3) == []
    assert file.head(account_id=1, after_id=0) == rows[-1].id
    assert file.oldest(account_id=1, after_id=0) == 0
    assert file.head(account_id=2, after_id=0) == file.head(account_id=1, after_id=rows[-1].id) == 0


def test_ids_never_come_back(tmp_path: Path) -> None:
    path = tmp_path / "collector.sqlite3"
    file = journal.SQLiteJournal(path)
    file.append_many([new_row(1)])
    first = file.read(0, 1)[0].id
    assert file.trim(first) == 1
    file.append_many([new_row(2)])
    second = file.read(first, 10)[0].id
    assert second > first
    file.close()
    for old in tmp_path.iterdir():
        old.unlink()
    again = journal.SQLiteJournal(path)
    again.raise_ids()
    again.append_many([new_row(3)])
    assert again.read(second, 10)[0].created_at == 3


WRITER = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(SHARDS=1)
from parcours.events import journal
from parcours.events.entries import Touched
file = journal.SQLiteJournal(Path(sys.argv[1]))
for number in range(100_000):
    file.append_many([(1, 0, 1, number, journal.encode([Touched([number])]))] * 3)
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "collector.sqlite3"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(30)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().splitlines()]
    process.wait()
    kept = [row.created_at for row in journal.SQLiteJournal(path).read(0, 1_000_000)]
    assert len(kept) % 3 == 0
    assert kept[::3] in (acknowledged, [*acknowledged, acknowledged[-1] + 1])
