-- name: segment_last_entered
-- about: Of the latest entries into a segment, or the earliest, those of contacts who are in it since; and how many entries were looked at.
WITH
    entries AS
    (
        SELECT contact, toUnixTimestamp64Milli(at) AS entry
        FROM memberships
        WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64} AND member = 1
            AND (
                NOT {on:UInt8}
                OR if({down:UInt8}, entry < {after:Int64}, entry > {after:Int64})
                OR (entry = {after:Int64} AND contact < {after_contact:UInt64})
            )
        ORDER BY if({down:UInt8}, -entry, entry), contact DESC
        LIMIT {most:UInt64}
    )
SELECT contact, entered_at, (SELECT count() FROM entries) AS looked_at
FROM
(
    SELECT contact, toUnixTimestamp64Milli(argMax(at, (load, position))) AS entered_at
    FROM memberships
    WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
        AND contact IN (SELECT contact FROM entries)
    GROUP BY contact
    HAVING argMax(member, (load, position)) = 1
)
WHERE (contact, entered_at) IN (SELECT contact, entry FROM entries)
ORDER BY if({down:UInt8}, -entered_at, entered_at), contact DESC
LIMIT {limit:UInt64}
