-- name: contact_timeline
-- about: What a contact did, newest first: their own events, those of their visitors, those of contacts merged into them.
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
