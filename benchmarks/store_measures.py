"""What the events table's ordering key, its partitions, the tie of a visitor's past and the properties' type cost.

    python -m benchmarks.store_measures --rows 50000000 --contacts 1000000 --directory /tmp/measures

Everything is generated inside the engine, from numbers and hashes, the same at each run. Each figure is the best of
three runs, in milliseconds, or a size in bytes for each row. `docs/decisions/` keeps what was measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parcours.events.store.engine import Engine

NAMES = (
    "page.viewed",
    "product.viewed",
    "cart.updated",
    "order.placed",
    "email.opened",
    "email.clicked",
    "cta.viewed",
)
SHARES = (50, 68, 76, 80, 92, 95, 100)  # of a hundred events, those of the names until this one
DAYS = 730
END = "toDateTime64('2026-11-01 00:00:00', 3, 'UTC')"
KEYS = {
    "name, person, time": "(account, name, contact, visitor, occurred_at)",
    "name, time": "(account, name, occurred_at)",
    "person, time": "(account, contact, visitor, occurred_at)",
    "person, name, time": "(account, contact, visitor, name, occurred_at)",
}
PARTITIONS = {
    "none": "",
    "year": "PARTITION BY toYear(occurred_at)",
    "month": "PARTITION BY toYYYYMM(occurred_at)",
}


@dataclass
class Bench:
    """The engine and the size of the world in it."""

    engine: Engine
    rows: int
    contacts: int
    results: list[dict[str, Any]]

    def write(self, statement: str) -> None:
        self.engine.write(
            statement.encode(), parameters={}, settings={"max_partitions_per_insert_block": "0"}
        )

    def read(self, statement: str) -> str:
        return self.engine.read(statement.encode(), parameters={}, settings={}).decode().strip()

    def best(self, statement: str, *, runs: int = 3) -> float:
        return min(self._timed(lambda: self.read(statement)) for _ in range(runs))

    def _timed(self, work: Callable[[], object]) -> float:
        start = time.perf_counter()
        work()
        return round((time.perf_counter() - start) * 1000, 1)

    def tell(self, part: str, **figures: Any) -> None:
        line = {"part": part, **figures}
        self.results.append(line)
        print(json.dumps(line), flush=True)

    def bytes_a_row(self, table: str) -> float:
        total = self.read(
            f"SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = '{table}'"
        )
        return round(float(total), 1)


def source(bench: Bench, *, first: int = 0, count: int | None = None) -> str:
    """Events from numbers: seven names, two years, three in ten of a visitor who is not known (yet)."""
    hundred = "cityHash64(number, 1) % 100"
    cases = ", ".join(f"{hundred} < {share}, {name!r}" for name, share in zip(NAMES, SHARES, strict=True))
    name = f"multiIf({cases}, '')"
    person = f"1 + cityHash64(number, 2) % {bench.contacts}"
    return f"""
        SELECT 1 AS account, {name} AS name,
            cityHash64(number, 3) % 10 < 3 AS anonymous,
            if(anonymous, 0, {person}) AS contact,
            if(anonymous, reinterpretAsUUID(toUInt128({person})), toUUID('00000000-0000-0000-0000-000000000000'))
                AS visitor,
            {END} - toIntervalMillisecond(cityHash64(number, 4) % ({DAYS} * 86400000)) AS occurred_at,
            occurred_at AS received_at,
            hex(cityHash64(number, 5)) AS message_id,
            map('url', [concat('https://shop.example/p/', toString(cityHash64(number, 6) % 500))],
                'path', [concat('/p/', toString(cityHash64(number, 6) % 500))],
                'browser', [['Firefox', 'Chrome', 'Safari'][1 + cityHash64(number, 7) % 3]],
                'device_type', [['desktop', 'mobile'][1 + cityHash64(number, 8) % 2]],
                'total', [toString(cityHash64(number, 9) % 200)]) AS texts,
            map('total', [toDecimal128(cityHash64(number, 9) % 200, 10)]) AS numbers,
            concat('{{"url":"', texts['url'][1], '","path":"', texts['path'][1], '","browser":"', texts['browser'][1],
                '","device_type":"', texts['device_type'][1], '","total":', texts['total'][1], '}}') AS properties,
            intDiv(number, 10000) + 1 AS load, number % 10000 AS position
        FROM numbers({first}, {bench.rows if count is None else count})"""


COLUMNS = (
    "account, name, contact, visitor, occurred_at, received_at, message_id, texts, numbers, properties,"
    " load, position"
)


def create(
    bench: Bench, table: str, *, key: str, partition: str, properties: str = "String CODEC(ZSTD(1))"
) -> None:
    bench.write(f"DROP TABLE IF EXISTS {table} SYNC")
    bench.write(f"""
        CREATE TABLE {table} (account UInt32, name LowCardinality(String), contact UInt64, visitor UUID,
            occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
            received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
            message_id String CODEC(ZSTD(1)), texts Map(LowCardinality(String), Array(String)) CODEC(ZSTD(1)),
            numbers Map(LowCardinality(String), Array(Decimal(38, 10))) CODEC(ZSTD(1)), properties {properties},
            load UInt64 CODEC(Delta, ZSTD(1)), position UInt32 CODEC(Delta, ZSTD(1)))
        ENGINE = MergeTree {partition} ORDER BY {key}
        SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1""")


def fill(bench: Bench, table: str) -> float:
    start = time.perf_counter()
    bench.write(f"INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM ({source(bench)})")
    bench.write(f"OPTIMIZE TABLE {table} FINAL")
    return round(time.perf_counter() - start, 1)


def since(days: int) -> str:
    return f"{END} - toIntervalDay({days})"


def questions(table: str) -> dict[str, str]:
    """What segments, conditions, reports and timelines ask."""
    stages = " + ".join(f"(has(names, '{name}'))" for name in NAMES[:5])
    batch = "(SELECT 1 + number * 7 FROM numbers(5000))"
    return {
        "segment: orders in 90 days": f"""SELECT count() FROM (SELECT contact FROM {table} WHERE account = 1
            AND name = 'order.placed' AND contact != 0 AND load <= 1e15 AND occurred_at >= {since(90)} GROUP BY contact
            HAVING count() >= 2)""",
        "segment: amount over 2 years": f"""SELECT count() FROM (SELECT contact FROM {table} WHERE account = 1
            AND name = 'order.placed' AND contact != 0 AND load <= 1e15 GROUP BY contact
            HAVING sum(arraySum(numbers['total'])) > 150)""",
        "segment: page viewed with a path": f"""SELECT uniqExact(contact) FROM {table} WHERE account = 1
            AND name = 'page.viewed' AND contact != 0 AND load <= 1e15 AND has(texts['path'], '/p/17')
            AND occurred_at >= {since(30)}""",
        "condition: 5,000 contacts": f"""SELECT count() FROM (SELECT contact FROM {table} WHERE account = 1
            AND name = 'order.placed' AND load <= 1e15 AND contact IN {batch} GROUP BY contact)""",
        "report: 5 stages, 90 days": f"""SELECT countIf(reached = 5) FROM (SELECT contact,
            groupUniqArray(name) AS names,
            {stages} AS reached FROM {table} WHERE account = 1 AND contact != 0 AND load <= 1e15
            AND name IN {NAMES[:5]} AND occurred_at >= {since(90)} GROUP BY contact)""",
        "figure: count of a week": f"""SELECT count() FROM {table} WHERE account = 1 AND name = 'page.viewed'
            AND load <= 1e15 AND occurred_at >= {since(7)}""",
        "timeline of a contact": f"""SELECT name, occurred_at FROM {table} WHERE account = 1 AND contact = 4242
            AND load <= 1e15 ORDER BY occurred_at DESC LIMIT 50""",
    }


def measure_keys(bench: Bench) -> None:
    """The ordering key, then the partition, each by the questions, an ordinary load's insert, and its size."""
    chosen = [(key, "none") for key in KEYS] + [("name, person, time", part) for part in ("year", "month")]
    for key, partition in chosen:
        create(bench, "candidate", key=KEYS[key], partition=PARTITIONS[partition])
        seconds = fill(bench, "candidate")
        figures = {question: bench.best(sql) for question, sql in questions("candidate").items()}
        figures["insert of 10,000"] = insert_time(bench)
        figures["bytes a row"] = bench.bytes_a_row("candidate")
        bench.tell("key", key=key, partition=partition, fill_seconds=seconds, **figures)


def insert_time(bench: Bench) -> float:
    """Ten loads one after the other, a mean."""
    rows = source(bench, first=bench.rows, count=100_000)
    bench.write("DROP TABLE IF EXISTS waiting SYNC")
    bench.write(f"CREATE TABLE waiting ENGINE = Memory AS SELECT {COLUMNS} FROM ({rows})")
    loads = [int(text) for text in bench.read("SELECT DISTINCT load FROM waiting ORDER BY load").split()]
    start = time.perf_counter()
    for load in loads:
        bench.write(f"INSERT INTO candidate ({COLUMNS}) SELECT {COLUMNS} FROM waiting WHERE load = {load}")
    return round((time.perf_counter() - start) * 1000 / len(loads), 1)


def measure_links(bench: Bench) -> None:
    """How a visitor's past becomes the contact's: at reading (join, dictionary, Join table), or by rewriting."""
    create(bench, "candidate", key=KEYS["name, person, time"], partition="")
    fill(bench, "candidate")
    bench.write("DROP DICTIONARY IF EXISTS tied_dictionary")
    for table in ("tied", "tied_join"):
        bench.write(f"DROP TABLE IF EXISTS {table} SYNC")
    tied = f"""SELECT reinterpretAsUUID(toUInt128(1 + number)) AS visitor, 1 + number AS contact
        FROM numbers({bench.contacts}) WHERE cityHash64(number) % 10 < 6"""
    bench.write(f"CREATE TABLE tied ENGINE = MergeTree ORDER BY visitor AS {tied}")
    bench.write(f"CREATE TABLE tied_join ENGINE = Join(ANY, LEFT, visitor) AS {tied}")
    bench.write(
        "CREATE DICTIONARY tied_dictionary (visitor UUID, contact UInt64) PRIMARY KEY visitor"
        " SOURCE(CLICKHOUSE(TABLE 'tied' DB 'parcours')) LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0)"
    )
    people = {
        "contacts alone (no tie)": "SELECT contact AS person FROM candidate WHERE {where} AND contact != 0",
        "join": "SELECT if(c.contact = 0, t.contact, c.contact) AS person FROM candidate AS c LEFT ANY JOIN tied AS t"
        " ON c.visitor = t.visitor WHERE {where} AND person != 0",
        "two halves": "SELECT contact AS person FROM candidate WHERE {where} AND contact != 0 UNION ALL"
        " SELECT t.contact FROM (SELECT visitor FROM candidate WHERE {where} AND contact = 0) AS c"
        " INNER JOIN tied AS t ON c.visitor = t.visitor",
        "dictionary": "SELECT if(contact = 0, dictGetOrDefault('tied_dictionary', 'contact', visitor, 0), contact)"
        " AS person FROM candidate WHERE {where} AND person != 0",
        "Join table": "SELECT if(contact = 0, joinGet('tied_join', 'contact', visitor), contact) AS person"
        " FROM candidate WHERE {where} AND person != 0",
    }
    asked = {
        "orders, 2 years": "account = 1 AND name = 'order.placed' AND load <= 1e15",
        "pages, 2 years": "account = 1 AND name = 'page.viewed' AND load <= 1e15",
        "pages, 30 days": f"account = 1 AND name = 'page.viewed' AND load <= 1e15 AND occurred_at >= {since(30)}",
    }
    for way, sql in people.items():
        figures: dict[str, Any] = {}
        for question, where in asked.items():
            people_sql = sql.format(where=where)
            said = f"SELECT count(), sum(n) FROM (SELECT person, count() AS n FROM ({people_sql}) GROUP BY person)"
            try:
                figures[question] = bench.best(said)
                figures[f"{question}: answer"] = bench.read(said)
            except (
                Exception
            ) as error:  # A way that the embedded engine does not know is told, and not measured.
                figures[question] = str(error)[:120]
        bench.tell("links", way=way, **figures)
    start = time.perf_counter()
    bench.write("ALTER TABLE candidate DELETE WHERE account = 1 AND visitor = reinterpretAsUUID(toUInt128(7))"
                " SETTINGS mutations_sync = 1")  # fmt: skip
    bench.tell("links", way="rewriting one visitor (contact is in the key: delete, then insert)",
               milliseconds=round((time.perf_counter() - start) * 1000, 1))  # fmt: skip


def measure_properties(bench: Bench) -> None:
    """Properties as maps of arrays, as ClickHouse's JSON, or as text."""
    create(
        bench, "candidate", key=KEYS["name, person, time"], partition="", properties="String CODEC(ZSTD(1))"
    )
    maps_seconds = fill(bench, "candidate")
    create(bench, "candidate_json", key=KEYS["name, person, time"], partition="", properties="JSON")
    json_seconds = fill(bench, "candidate_json")
    where = "account = 1 AND name = 'page.viewed' AND load <= 1e15"
    ways = {
        "maps": ("candidate", "has(texts['path'], '/p/17')", "arraySum(numbers['total'])", maps_seconds),
        "JSON type": ("candidate_json", "properties.path = '/p/17'", "properties.total::Decimal(38, 10)", json_seconds),
        "text": ("candidate", "JSONExtractString(properties, 'path') = '/p/17'",
                 "JSONExtract(properties, 'total', 'Decimal(38, 10)')", maps_seconds),
    }  # fmt: skip
    for way, (table, condition, amount, seconds) in ways.items():
        size = f"SELECT sum(column_data_compressed_bytes) FROM system.parts_columns WHERE active AND table = '{table}'"
        columns = "('texts', 'numbers')" if way == "maps" else "('properties')"
        bench.tell(
            "properties",
            way=way,
            fill_seconds=seconds,
            bytes_a_row=round(int(bench.read(f"{size} AND column IN {columns}") or 0) / bench.rows, 1),
            equal=bench.best(f"SELECT count() FROM {table} WHERE {where} AND {condition}"),
            sum=bench.best(f"SELECT sum({amount}) FROM {table} WHERE {where}"),
        )


PARTS = {"keys": measure_keys, "links": measure_links, "properties": measure_properties}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, required=True, help="Emptied first.")
    parser.add_argument("--parts", default="keys,links,properties")
    parser.add_argument("--out", type=Path, help="Where to write the figures as JSON, too.")
    chosen = parser.parse_args()
    shutil.rmtree(chosen.directory, ignore_errors=True)
    bench = Bench(Engine(chosen.directory), chosen.rows, chosen.contacts, [])
    for part in chosen.parts.split(","):
        PARTS[part](bench)
    if chosen.out:
        chosen.out.write_text(json.dumps(bench.results, indent=1))


if __name__ == "__main__":
    main()
