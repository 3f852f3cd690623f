-- name: segments_of_contact
-- about: The segments in which a contact is, and since when, at a watermark, of those given.
SELECT segment, toUnixTimestamp64Milli(argMax(at, (load, position))) AS entered_at
FROM memberships
WHERE account = {account:UInt32}
  AND segment IN {segments:Array(UInt64)}
  AND contact = {contact:UInt64}
  AND load <= {load:UInt64}
GROUP BY segment
HAVING argMax(member, (load, position)) = 1
