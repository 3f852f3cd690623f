"""The embedded store answers clickhouse-connect's ordinary client, and a read can do nothing but read."""

from __future__ import annotations

import stat
import uuid
from decimal import Decimal
from pathlib import Path

import clickhouse_connect
import pytest
import urllib3
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from clickhouse_connect.driver.external import ExternalData
from django.conf import settings

from parcours.events.store.client import client, patiently, writer
from parcours.events.store.guard import Refused, check_read
from parcours.events.store.server import read_address
from tests.fixtures.store import StoreProcess

LINK = ["account", "visitor", "merged", "contact", "load"]
VISITOR = uuid.UUID(int=7)


def test_values_are_bound_whatever_they_hold(store: StoreProcess) -> None:
    values = {
        "text": "it's \\ \t\n\0 é 😀 {text:String} %s",
        "texts": ["x'", "é\t", "", "\\N"],
        "whole": 2**64 - 1,
        "amount": Decimal("-12345678901234567.0123456789"),
        "visitor": VISITOR,
        "nothing": None,
    }
    query = (
        "SELECT {text:String}, {texts:Array(String)}, {whole:UInt64}, {amount:Decimal(38, 10)}, {visitor:UUID},"
        " {nothing:Nullable(String)}"
    )
    assert client().query(query, parameters=values).result_rows == [tuple(values.values())]


def test_a_parameter_may_be_large(store: StoreProcess) -> None:
    numbers = list(range(100_000))
    answer = client().query("SELECT sum(arrayJoin({numbers:Array(UInt64)}))", parameters={"numbers": numbers})
    assert answer.result_rows == [(sum(numbers),)]


def test_a_table_may_come_with_a_read(store: StoreProcess) -> None:
    rows = "".join(f"{number}\t{VISITOR}\té 😀 \\t{number}\r\n" for number in range(50_000)).replace("\r", "")
    given = ExternalData(
        file_name="given",
        data=rows.encode(),
        fmt="TabSeparated",
        structure="contact UInt64, visitor UUID, text String",
    )
    asked = client(forms=True)
    query = (
        "SELECT count(), sum(contact), any(visitor), max(text) FROM given WHERE contact >= {least:UInt64}"
        + " OR contact = 0" * 20_000
    )
    found = asked.query(
        query, parameters={"least": 49_000}, external_data=given, settings={"max_query_size": "1000000"}
    )
    assert found.result_rows == [(1001, sum(range(49_000, 50_000)), VISITOR, "é 😀 \t49999")]
    with pytest.raises(DatabaseError, match="given"):  # It went with its statement.
        client().query("SELECT count() FROM given")


def test_a_table_that_cannot_be_made_is_refused(store: StoreProcess) -> None:
    for structure in ("contact UInt64) ENGINE = MergeTree ORDER BY (contact", "contact Number", ""):
        given = ExternalData(file_name="given", data=b"1\n", fmt="TabSeparated", structure=structure or "-")
        with pytest.raises(DatabaseError):
            client(forms=True).query("SELECT count() FROM given", external_data=given)
    given = ExternalData(file_name="given", data=b"one\n", fmt="TabSeparated", structure="contact UInt64")
    with pytest.raises(DatabaseError):
        client(forms=True).query("SELECT count() FROM given", external_data=given)
    assert client().query("SELECT 1").result_rows == [(1,)]


def test_rows_inserted_by_the_client_are_read_back(store: StoreProcess) -> None:
    rows = [[1, VISITOR, 0, 42, 1], [1, uuid.UUID(int=8), 0, 43, 1]]
    writer().insert("links", rows, column_names=LINK)
    found = client().query("SELECT account, visitor, merged, contact, load FROM links ORDER BY contact")
    assert [list(row) for row in found.result_rows] == rows


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip"])
def test_compressed_inserts_are_read(store: StoreProcess, compression: str) -> None:
    place = read_address(settings.DATA_DIR)
    other = clickhouse_connect.get_client(
        dsn=f"{place['url'].replace('//', '//writer:' + place['writer'] + '@')}/parcours",
        compress=compression,
    )
    other.insert("links", [[1, VISITOR, 0, 42, 1]] * 5_000, column_names=LINK)
    assert store.count("links") == 5_000


def test_the_same_token_counts_once_until_the_table_is_emptied(store: StoreProcess) -> None:
    def insert(contact: int) -> None:
        writer().insert(
            "links",
            [[1, VISITOR, 0, contact, 1]],
            column_names=LINK,
            settings={"insert_deduplication_token": "1:l"},
        )

    insert(1)
    insert(1)
    insert(2)
    assert client().query("SELECT contact FROM links").result_rows == [(1,)]
    writer().command("TRUNCATE TABLE links")
    insert(3)
    assert store.count("links") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/passwd')",
        "SELECT `file`('/etc/passwd')",
        "SELECT \"file\"('/etc/passwd')",
        "SELECT `fi\\x6ce`('/etc/passwd')",
        "SELECT file/**/('/etc/passwd')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a UInt8')",
        "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM sqlite('/tmp/x', 'b')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV')",
        "SELECT * FROM remote('127.0.0.1:1', 'system', 'one')",
        "SELECT * FROM executable('/bin/ls', 'TSV', 'a String')",
        "SELECT 1 INTO OUTFILE '/tmp/parcours-must-not-exist'",
        "WITH 1 AS x SELECT x SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 1000",
        "SET readonly = 0",
        "INSERT INTO links (account) VALUES (1)",
        "INSERT INTO links (account) FORMAT CSV\n1",
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "DROP TABLE links",
        "TRUNCATE TABLE links",
        "KILL QUERY WHERE 1",
        "SYSTEM SHUTDOWN",
        "SELECT 1; DROP TABLE links",
    ],
)
def test_a_read_does_nothing_else(store: StoreProcess, statement: str) -> None:
    with pytest.raises(DatabaseError):
        client().raw_query(statement)
    assert store.count("links") == 0
    assert not Path("/tmp/parcours-must-not-exist").exists()


def test_a_refused_read_says_so_in_clickhouses_number(store: StoreProcess) -> None:
    with pytest.raises(DatabaseError) as refused:
        client().query("SELECT * FROM numbers(1) WHERE file('/etc/passwd') = ''")
    assert refused.value.code == 164
    with pytest.raises(DatabaseError) as unknown:
        client().query("SELECT * FROM nowhere")
    assert unknown.value.code == 60


HARMLESS = {
    *(
        "numbers",
        "numbers_mt",
        "zeros",
        "zeros_mt",
        "generateSeries",
        "generate_series",
        "generateRandom",
        "null",
    ),
    *(
        "values",
        "SQLStandardValues",
        "view",
        "viewExplain",
        "viewIfPermitted",
        "format",
        "primes",
        "merge",
        "loop",
    ),
}


def test_every_table_function_that_reaches_outside_is_refused(store: StoreProcess) -> None:
    names = [row[0] for row in client().query("SELECT name FROM system.table_functions").result_rows]
    assert len(names) > 80
    for name in names:
        if name in HARMLESS or name.startswith(("mergeTree", "timeSeries")):
            check_read(f"SELECT * FROM {name}(x)".encode())
            continue
        with pytest.raises(Refused):
            check_read(f"SELECT * FROM {name}(x)".encode())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'file(' || name, \"outfile\" FROM events -- file('x')",
        "/* outfile */ WITH x AS (SELECT 1) SELECT * FROM x",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT url, file, texts['file'] FROM profiles_at(account = 1, load = 2)",
        "EXPLAIN SELECT 1",
    ],
)
def test_what_only_looks_dangerous_is_let_through(statement: str) -> None:
    check_read(statement.encode())


def test_limits_hold(store: StoreProcess) -> None:
    with pytest.raises(DatabaseError) as slow:
        client().query(
            "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)", settings={"max_execution_time": 1}
        )
    assert slow.value.code == 159
    with pytest.raises(DatabaseError) as long:
        client().query("SELECT number FROM numbers(100)", settings={"max_result_rows": 10})
    assert long.value.code == 396
    with pytest.raises(DatabaseError) as large:
        client().query(
            "SELECT groupArray(number) FROM numbers(10000000)", settings={"max_memory_usage": 1_000_000}
        )
    assert large.value.code == 241


def test_only_the_owner_knows_the_passwords_and_they_are_asked_for(store: StoreProcess) -> None:
    assert stat.S_IMODE((settings.DATA_DIR / "store.json").stat().st_mode) == 0o600
    url = read_address(settings.DATA_DIR)["url"]
    for headers in (
        {},
        urllib3.make_headers(basic_auth="writer:wrong"),
        urllib3.make_headers(basic_auth="default:"),
    ):
        answer = urllib3.request("POST", url, body=b"SELECT 1", headers=headers)
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (401, "516")
    assert urllib3.request("GET", f"{url}/ping").data == b"Ok.\n"


def test_clients_find_the_store_again_after_a_kill(store: StoreProcess) -> None:
    writer().insert("links", [[1, VISITOR, 0, 42, 1]], column_names=LINK)
    before = read_address(settings.DATA_DIR)["url"]
    store.kill()
    with pytest.raises(OperationalError):
        client().query("SELECT 1")
    store.start()
    assert patiently(lambda: client().query("SELECT contact FROM links").result_rows) == [(42,)]
    assert read_address(settings.DATA_DIR)["url"] == before


def test_a_second_store_on_the_same_directory_is_refused(store: StoreProcess) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "parcours.events.store", str(settings.DATA_DIR)]
    second = subprocess.run(
        command, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=30, check=False
    )
    assert second.returncode == 1
    assert "Another process owns the event store" in second.stderr
    assert store.count("links") == 0
