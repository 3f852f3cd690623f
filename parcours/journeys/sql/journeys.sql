-- name: journey_past_events
-- about: Events of one name of contacts, each within its own span, for first waits that look back to what came before.
SELECT
    @person(contact) AS contact,
    toUnixTimestamp64Milli(occurred_at) AS occurred_ms,
    toUnixTimestamp64Milli(received_at) AS received_ms,
    message_id,
    journey,
    version,
    step,
    enrolment,
    message,
    send,
    order_id,
    properties
FROM events
INNER JOIN (
    SELECT
        arrayJoin(arrayZip({contacts:Array(UInt64)}, {since:Array(Int64)}, {until:Array(Int64)})) AS span,
        span.1 AS wanted,
        span.2 AS since_ms,
        span.3 AS until_ms
) AS spans ON @person(contact) = wanted
WHERE account = {account:UInt32}
  AND name = {name:String}
  AND @person(contact) IN {contacts:Array(UInt64)}
  AND load <= {load:UInt64}
  AND NOT machine
  AND occurred_at >= fromUnixTimestamp64Milli({earliest:Int64})
  AND toUnixTimestamp64Milli(occurred_at) BETWEEN since_ms AND until_ms
ORDER BY occurred_at, load, position

-- name: journey_trace
-- about: Everything that one contact's runs did in a journey, in the order in which it happened.
SELECT
    name,
    toUnixTimestamp64Milli(occurred_at) AS at_ms,
    enrolment,
    visit,
    version,
    step,
    properties
FROM events
WHERE account = {account:UInt32}
  AND name IN ('journey.entered', 'journey.step_entered', 'journey.completed', 'journey.exited')
  AND contact IN (
      SELECT {contact:UInt64}
      UNION ALL
      SELECT merged
      FROM links
      WHERE account = {account:UInt32}
        AND visitor = toUUID('00000000-0000-0000-0000-000000000000')
        AND load <= {load:UInt64}
      GROUP BY merged
      HAVING argMax(links.contact, load) = {contact:UInt64}
  )
  AND journey = {journey:UInt64}
  AND load <= {load:UInt64}
ORDER BY enrolment, visit, load, position
LIMIT 10000

-- name: journey_segment_members
-- about: Who is in a segment at a watermark, for a journey that lets them in when it is activated.
SELECT contact
FROM memberships
WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
GROUP BY contact
HAVING argMax(member, (load, position)) = 1
ORDER BY contact
