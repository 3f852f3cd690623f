-- name: deal_timeline
-- about: A deal's history, newest first: its own events, and those of its contacts while they were tied to it, until it closed.
WITH arrayZip({contacts:Array(UInt64)}, {since:Array(Int64)}, {until:Array(Int64)}) AS ties,
mine AS
(
    SELECT visitor, merged, argMax(links.contact, load) AS who
    FROM links
    WHERE account = {account:UInt32} AND load <= {load:UInt64}
    GROUP BY visitor, merged
    HAVING who IN {contacts:Array(UInt64)}
)
SELECT name, occurred_ms, received_ms, message_id, person, journey, message, send, order_id, machine, properties, own, load, position
FROM
(
    SELECT
        e.name AS name,
        toUnixTimestamp64Milli(e.occurred_at) AS occurred_ms,
        toUnixTimestamp64Milli(e.received_at) AS received_ms,
        e.message_id AS message_id,
        if(m.who != 0, m.who, e.contact) AS person,
        e.journey AS journey,
        e.message AS message,
        e.send AS send,
        e.order_id AS order_id,
        e.machine AS machine,
        e.properties AS properties,
        e.deal = {deal:UInt64} AS own,
        e.load AS load,
        e.position AS position
    FROM events AS e
    LEFT JOIN mine AS m
        ON m.visitor = if(e.contact = 0, e.visitor, toUUID('00000000-0000-0000-0000-000000000000')) AND m.merged = e.contact
    WHERE e.account = {account:UInt32}
      AND e.load <= {load:UInt64}
      AND (
          e.deal = {deal:UInt64}
          OR e.contact IN {contacts:Array(UInt64)}
          OR (e.contact != 0 AND e.contact IN (SELECT merged FROM mine WHERE merged != 0))
          OR (e.contact = 0 AND e.visitor IN (SELECT visitor FROM mine WHERE merged = 0))
      )
      AND (
          own
          OR arrayExists(t -> t.1 = person AND t.2 <= occurred_ms AND occurred_ms < t.3, ties)
      )
    ORDER BY own DESC, load DESC, position DESC
    LIMIT 1 BY message_id
)
WHERE {before:Int64} = 0
   OR (occurred_ms, load, position) < ({before:Int64}, {before_load:UInt64}, {before_position:UInt32})
ORDER BY occurred_ms DESC, load DESC, position DESC
LIMIT {limit:UInt32}
