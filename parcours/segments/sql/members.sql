-- name: segment_candidates
-- about: States of contacts whom words find, the first in an order after a place: of everybody, or of those within a segment.
SELECT
    contact,
    load AS state,
    multiIf(
        {sort:String} = 'name', if(name_folded = '', {last:String}, name_folded),
        {sort:String} = 'email', if(email = '', {last:String}, lower(email)),
        {sort:String} = 'email_opt_in', toString(consent_email = 'opted_in'),
        {sort:String} = 'sms_opt_in', toString(consent_sms = 'opted_in'),
        ''
    ) AS key
FROM profiles
WHERE account = {account:UInt32} AND load <= {load:UInt64}
    AND ({w1:String} = '' OR position(name_folded, {w1:String}) > 0 OR position(keys_folded, {w1:String}) > 0)
    AND ({w2:String} = '' OR position(name_folded, {w2:String}) > 0 OR position(keys_folded, {w2:String}) > 0)
    AND ({w3:String} = '' OR position(name_folded, {w3:String}) > 0 OR position(keys_folded, {w3:String}) > 0)
    AND ({w4:String} = '' OR position(name_folded, {w4:String}) > 0 OR position(keys_folded, {w4:String}) > 0)
    AND ({w5:String} = '' OR position(name_folded, {w5:String}) > 0 OR position(keys_folded, {w5:String}) > 0)
    AND ({w6:String} = '' OR position(name_folded, {w6:String}) > 0 OR position(keys_folded, {w6:String}) > 0)
    AND ({w7:String} = '' OR position(name_folded, {w7:String}) > 0 OR position(keys_folded, {w7:String}) > 0)
    AND ({w8:String} = '' OR position(name_folded, {w8:String}) > 0 OR position(keys_folded, {w8:String}) > 0)
    AND (
        NOT {within:UInt8}
        OR contact IN
        (
            SELECT contact
            FROM
            (
                SELECT contact, member
                FROM memberships
                WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
                ORDER BY contact, load DESC, position DESC
                LIMIT 1 BY contact
            )
            WHERE member = 1
        )
    )
    AND (
        NOT {on:UInt8}
        OR if({down:UInt8}, key < {after:String}, key > {after:String})
        OR (key = {after:String} AND contact < {after_contact:UInt64})
    )
ORDER BY if({down:UInt8}, key, '') DESC, if({down:UInt8}, '', key), contact DESC
LIMIT {limit:UInt32}

-- name: segment_entries_of
-- about: Which of some contacts are in a segment at a watermark, and since when.
SELECT contact, toUnixTimestamp64Milli(argMax(at, (load, position))) AS entered_at
FROM memberships
WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    AND contact IN {contacts:Array(UInt64)}
GROUP BY contact
HAVING argMax(member, (load, position)) = 1

-- name: segment_people
-- about: What a list of a segment shows of contacts, as they were at a watermark, and whether words find them.
SELECT
    contact, first_name, last_name, email, consent_email, consent_sms, gone, load AS state,
    ({w1:String} = '' OR position(name_folded, {w1:String}) > 0 OR position(keys_folded, {w1:String}) > 0)
    AND ({w2:String} = '' OR position(name_folded, {w2:String}) > 0 OR position(keys_folded, {w2:String}) > 0)
    AND ({w3:String} = '' OR position(name_folded, {w3:String}) > 0 OR position(keys_folded, {w3:String}) > 0)
    AND ({w4:String} = '' OR position(name_folded, {w4:String}) > 0 OR position(keys_folded, {w4:String}) > 0)
    AND ({w5:String} = '' OR position(name_folded, {w5:String}) > 0 OR position(keys_folded, {w5:String}) > 0)
    AND ({w6:String} = '' OR position(name_folded, {w6:String}) > 0 OR position(keys_folded, {w6:String}) > 0)
    AND ({w7:String} = '' OR position(name_folded, {w7:String}) > 0 OR position(keys_folded, {w7:String}) > 0)
    AND ({w8:String} = '' OR position(name_folded, {w8:String}) > 0 OR position(keys_folded, {w8:String}) > 0) AS found
FROM profiles
WHERE account = {account:UInt32} AND load <= {load:UInt64} AND contact IN {contacts:Array(UInt64)}
ORDER BY contact, load DESC
LIMIT 1 BY contact

-- name: segment_members_count
-- about: How many contacts are in a segment at a watermark, among those whom words find.
SELECT count() AS members
FROM
(
    SELECT contact, member
    FROM memberships
    WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    ORDER BY contact, load DESC, position DESC
    LIMIT 1 BY contact
)
WHERE member = 1 AND contact IN
    (
        SELECT contact
        FROM profiles
        WHERE account = {account:UInt32} AND load <= {load:UInt64}
        GROUP BY contact
        HAVING argMax(({w1:String} = '' OR position(name_folded, {w1:String}) > 0 OR position(keys_folded, {w1:String}) > 0)
    AND ({w2:String} = '' OR position(name_folded, {w2:String}) > 0 OR position(keys_folded, {w2:String}) > 0)
    AND ({w3:String} = '' OR position(name_folded, {w3:String}) > 0 OR position(keys_folded, {w3:String}) > 0)
    AND ({w4:String} = '' OR position(name_folded, {w4:String}) > 0 OR position(keys_folded, {w4:String}) > 0)
    AND ({w5:String} = '' OR position(name_folded, {w5:String}) > 0 OR position(keys_folded, {w5:String}) > 0)
    AND ({w6:String} = '' OR position(name_folded, {w6:String}) > 0 OR position(keys_folded, {w6:String}) > 0)
    AND ({w7:String} = '' OR position(name_folded, {w7:String}) > 0 OR position(keys_folded, {w7:String}) > 0)
    AND ({w8:String} = '' OR position(name_folded, {w8:String}) > 0 OR position(keys_folded, {w8:String}) > 0), load)
    )

-- name: segment_members_below
-- about: The contacts of a segment at a watermark whose id is lower than one, the highest first.
SELECT contact
FROM
(
    SELECT contact, member
    FROM memberships
    WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
        AND contact < {below:UInt64}
    ORDER BY contact DESC, load DESC, position DESC
    LIMIT 1 BY contact
)
WHERE member = 1
LIMIT {limit:UInt32}
