"""How Mautic and Dittofeed find the members of a segment, written for the same engine, on the same world.

Mautic keeps contacts in a wide table and what they did in tables with an index on the contact; a segment is one SELECT
on contacts, with EXISTS for what they did. Its rebuild reads that SELECT three times: it counts those to add, takes
them, and counts those to remove. Here the kinds of events are one table ordered by kind, contact and date, visitors are
contacts already, the subqueries are joined as an optimiser would, and a batch has no limit (Mautic takes 300). Its log
of events keeps their properties as text (JSON); it is asked a second time with a column for the property in question,
made beforehand, which no product can know.

Dittofeed keeps, for each criterion of each segment and each user, a state that new events are added to (how many
distinct, the last value, the last instant), and assigns users from the states. A new segment first puts all that ever
happened in its states; then at every period the events that came since, and users whose state changed, or whose window
moves, are assigned again. Its log holds properties as JSON text, in the order of arrival. A count is of all time, and a
window asks whether the last event lies in it: not the count in the window that is asked here, and another answer.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import segments_world as world

Run = Callable[..., Any]


def measure(account: Any, ours: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Of each rival, the seconds that each segment takes; `ours` say of each number its members, and when."""
    from parcours.events.store.client import writer

    client = writer()
    limits = {"max_execution_time": 3600, "max_query_size": 1_000_000}

    def run(statement: str, **bound: Any) -> Any:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            return client.query(statement, parameters=bound, settings=limits).result_rows
        return client.command(statement, parameters=bound, settings=limits)

    _lay_mautic(run, account.pk)
    return {
        "Mautic's queries": _mautic(run, ours, 1, "simpleJSONExtractString(h.properties, 'category')"),
        "Mautic's queries, with a column made for the property": _mautic(run, ours, 2, "h.category"),
        "Dittofeed's states": _dittofeed(run, account.pk, ours),
    }


def _parts(number: int, now: int) -> dict[str, Any]:
    """A segment's criteria, as values to bind."""
    field, seen, missing = world.criteria(number)["all"]
    where = seen["where"][0]
    if field["op"] != "eq" or where["property"] != "category":
        raise ValueError(f"Segment {number} is not one that the rivals are asked.")
    days = {place: int(leaf["window"]["last"][:-1]) for place, leaf in (("seen", seen), ("missing", missing))}
    return {
        "attribute": field["field"].removeprefix("attributes."),
        "value": field["value"],
        "seen": seen["event"],
        "category": where["value"],
        "seen_since": now - days["seen"] * world.DAY_MS,
        "times": seen["count"]["value"],
        "missing": missing["event"],
        "missing_since": now - days["missing"] * world.DAY_MS,
    }


# Mautic

_LEADS = """SELECT l.id AS id FROM rival_leads AS l
    WHERE l.{attribute} = {{value:String}}
    AND l.id IN (SELECT h.lead_id FROM rival_hits AS h WHERE h.name = {{seen:String}}
        AND {category} = {{category:String}} AND h.date_hit >= fromUnixTimestamp64Milli({{seen_since:Int64}})
        GROUP BY h.lead_id
        HAVING count(DISTINCT h.id) >= {{times:UInt32}})
    AND l.id NOT IN (SELECT h.lead_id FROM rival_hits AS h WHERE h.name = {{missing:String}}
        AND h.date_hit >= fromUnixTimestamp64Milli({{missing_since:Int64}}))"""
_KNOWN = "(SELECT lead_id FROM rival_members WHERE list = {{list:UInt64}})"


def _lay_mautic(run: Run, account: int) -> None:
    columns = ", ".join(f"texts['{name}'][1] AS {name}" for name in world.TEXTS)
    run("DROP TABLE IF EXISTS rival_leads SYNC")
    run("DROP TABLE IF EXISTS rival_hits SYNC")
    run("DROP TABLE IF EXISTS rival_members SYNC")
    run(
        f"CREATE TABLE rival_leads ENGINE = MergeTree ORDER BY id AS SELECT contact AS id, email, country, {columns}"
        f" FROM profiles WHERE account = {account}"
    )
    run(
        "CREATE TABLE rival_hits (name LowCardinality(String), lead_id UInt64, date_hit DateTime64(3, 'UTC'),"
        " id UInt64, category LowCardinality(String), properties String CODEC(ZSTD(1)))"
        " ENGINE = MergeTree ORDER BY (name, lead_id, date_hit)"
    )
    person = "if(e.contact != 0, e.contact, l.contact)"
    run(
        f"INSERT INTO rival_hits SELECT e.name, {person} AS person, e.occurred_at, e.load * 10000 + e.position,"
        " e.texts['category'][1], e.properties"
        " FROM events AS e LEFT JOIN links AS l ON l.account = e.account AND l.visitor = e.visitor"
        f" WHERE e.account = {account} AND e.name NOT LIKE 'segment.%' AND person != 0"
    )
    world.settle()
    run(
        "CREATE TABLE rival_members (list UInt64, lead_id UInt64) ENGINE = MergeTree ORDER BY (list, lead_id)"
    )


def _mautic(run: Run, ours: Mapping[int, Mapping[str, Any]], turn: int, category: str) -> dict[str, Any]:
    taken = []
    for number, one in ours.items():
        bound = {**_parts(number, one["as_of"]), "list": 1000 * turn + number}
        leads = _LEADS.format(attribute=bound.pop("attribute"), category=category)
        known = _KNOWN.format()
        started = time.perf_counter()
        run(f"SELECT count(), max(id) FROM ({leads}) WHERE id NOT IN {known}", **bound)
        run(
            f"INSERT INTO rival_members SELECT {bound['list']}, id FROM ({leads}) WHERE id NOT IN {known}",
            **bound,
        )
        removed = (
            f"SELECT count() FROM rival_members WHERE list = {bound['list']} AND lead_id NOT IN ({leads})"
        )
        run(removed, **bound)
        taken.append(time.perf_counter() - started)
        found = run(f"SELECT count() FROM rival_members WHERE list = {bound['list']}")[0][0]
        if found != one["profiles"]:
            raise RuntimeError(
                f"Segment {number} has {found} members by Mautic's queries, {one['profiles']} by ours."
            )
    return {"seconds": taken, "told": "members alone, no entry nor exit told; the same members"}


# Dittofeed

_STATE = """INSERT INTO rival_state
    SELECT user, {{node:String}}, argMaxState({value}, event_time), uniqState({distinct}), maxState(event_time)
    FROM rival_user_events WHERE {{since:Int64}} < toUnixTimestamp64Milli(processing_time) AND {condition}
    GROUP BY user"""


def _dittofeed(run: Run, account: int, ours: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    for table in ("rival_user_events", "rival_state", "rival_assignments"):
        run(f"DROP TABLE IF EXISTS {table} SYNC")
    run(
        "CREATE TABLE rival_user_events (event_type Enum8('identify' = 1, 'track' = 2), event LowCardinality(String),"
        " event_time DateTime64(3, 'UTC'), message_id String, user UInt64, properties String CODEC(ZSTD(1)),"
        " processing_time DateTime64(3, 'UTC')) ENGINE = MergeTree"
        " ORDER BY (processing_time, user, event_time, message_id)"
    )
    traits = ", ".join(f"'{name}', texts['{name}'][1]" for name in (*world.TEXTS, *world.NUMBERS))
    run(
        "INSERT INTO rival_user_events SELECT 'identify', '', created_at, toString(contact), contact,"
        f" toJSONString(map({traits})), created_at FROM profiles WHERE account = {account}"
    )
    person = "if(e.contact != 0, e.contact, l.contact)"
    run(
        f"INSERT INTO rival_user_events SELECT 'track', e.name, e.occurred_at, e.message_id, {person} AS person,"
        " e.properties, e.received_at"
        " FROM events AS e LEFT JOIN links AS l ON l.account = e.account AND l.visitor = e.visitor"
        f" WHERE e.account = {account} AND e.name NOT LIKE 'segment.%' AND person != 0"
    )
    world.settle()
    run(
        "CREATE TABLE rival_state (user UInt64, node String,"
        " last_value AggregateFunction(argMax, String, DateTime64(3, 'UTC')),"
        " unique_count AggregateFunction(uniq, String), max_event_time AggregateFunction(max, DateTime64(3, 'UTC')))"
        " ENGINE = AggregatingMergeTree ORDER BY (node, user)"
    )
    run(
        "CREATE TABLE rival_assignments (segment UInt64, user UInt64, value UInt8, assigned_at DateTime64(3, 'UTC'))"
        " ENGINE = ReplacingMergeTree(assigned_at) ORDER BY (segment, user)"
    )
    taken, again = [], []
    for number, one in ours.items():
        now = one["as_of"]
        parts = _parts(number, now)
        nodes = {
            "trait": (
                "event_type = 'identify'",
                f"simpleJSONExtractString(properties, '{parts['attribute']}')",
                "''",
            ),
            "seen": (
                f"event_type = 'track' AND event = '{parts['seen']}'"
                f" AND simpleJSONExtractString(properties, 'category') = '{parts['category']}'",
                "''",
                "message_id",
            ),
            "missing": (f"event_type = 'track' AND event = '{parts['missing']}'", "''", "message_id"),
        }
        started = time.perf_counter()
        for name, (condition, value, distinct) in nodes.items():
            statement = _STATE.format(condition=condition, value=value, distinct=distinct)
            run(statement, node=f"{number}.{name}", since=0)
        _assign(run, number, parts, now)
        taken.append(time.perf_counter() - started)
        started = time.perf_counter()
        _assign(run, number, parts, now)
        again.append(time.perf_counter() - started)
    told = f"and {statistics.median(again):.2f} s at each later period, as its windows move; other members (see above)"
    return {"seconds": taken, "told": told}


def _assign(run: Run, number: int, parts: dict[str, Any], now: int) -> None:
    """Assign users by their states."""
    run(
        f"""INSERT INTO rival_assignments
        SELECT {number}, user,
            last_value[{{trait:String}}] = {{value:String}}
                AND unique_count[{{seen_node:String}}] >= {{times:UInt32}}
                AND max_event_time[{{seen_node:String}}] >= fromUnixTimestamp64Milli({{seen_since:Int64}})
                AND max_event_time[{{missing_node:String}}] < fromUnixTimestamp64Milli({{missing_since:Int64}}),
            fromUnixTimestamp64Milli({now})
        FROM (SELECT user,
                CAST((groupArray(node), groupArray(l)), 'Map(String, String)') AS last_value,
                CAST((groupArray(node), groupArray(u)), 'Map(String, UInt64)') AS unique_count,
                CAST((groupArray(node), groupArray(m)), 'Map(String, DateTime64(3))') AS max_event_time
            FROM (SELECT user, node, argMaxMerge(last_value) AS l, uniqMerge(unique_count) AS u,
                    maxMerge(max_event_time) AS m
                FROM rival_state WHERE node IN ({{trait:String}}, {{seen_node:String}}, {{missing_node:String}})
                GROUP BY user, node)
            GROUP BY user)""",
        trait=f"{number}.trait",
        seen_node=f"{number}.seen",
        missing_node=f"{number}.missing",
        **{name: parts[name] for name in ("value", "times", "seen_since", "missing_since")},
    )
