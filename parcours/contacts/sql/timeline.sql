-- name: contact_timeline
-- about: What a contact did, newest first: their own events, those of their visitors, those of contacts merged into them.
-- An event of a deal has a row for each contact tied to it: it is told once of a person who is two of them, as their own first.
WITH mine AS
(
    SELECT visitor, merged
    FROM links
    WHERE account = {account:UInt32} AND load <= {load:UInt64}
    GROUP BY visitor, merged
    HAVING argMax(contact, load) = {contact:UInt64}
)
SELECT
    name,
    toUnixTimestamp64Milli(occurred_at) AS occurred_ms,
    toUnixTimestamp64Milli(received_at) AS received_ms,
    contact = 0 AS anonymous,
    message_id,
    journey,
    version,
    step,
    enrolment,
    deal,
    message,
    send,
    order_id,
    machine,
    properties,
    load,
    position
FROM events
WHERE account = {account:UInt32}
  AND load <= {load:UInt64}
  AND (
      contact = {contact:UInt64}
      OR (contact = 0 AND visitor IN (SELECT visitor FROM mine WHERE merged = 0))
      OR (contact != 0 AND contact IN (SELECT merged FROM mine WHERE merged != 0))
  )
  AND (
      deal = 0
      OR (load, message_id, position) IN
      (
          SELECT load, message_id, argMin(position, (contact != {contact:UInt64}, position))
          FROM events
          WHERE account = {account:UInt32}
            AND load <= {load:UInt64}
            AND deal != 0
            AND (
                contact = {contact:UInt64}
                OR (contact = 0 AND visitor IN (SELECT visitor FROM mine WHERE merged = 0))
                OR (contact != 0 AND contact IN (SELECT merged FROM mine WHERE merged != 0))
            )
          GROUP BY load, message_id
      )
  )
  AND (
      {chosen:UInt8} = 0
      OR substringIndex(name, '.', 1) IN {categories:Array(String)}
      OR ({others:UInt8} = 1 AND substringIndex(name, '.', 1) NOT IN {known:Array(String)})
  )
  AND (
      {before:Int64} = 0
      OR (toUnixTimestamp64Milli(occurred_at), load, position) < ({before:Int64}, {before_load:UInt64}, {before_position:UInt32})
  )
ORDER BY occurred_at DESC, load DESC, position DESC
LIMIT {limit:UInt32}
