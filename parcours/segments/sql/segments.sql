-- name: segment_figures
-- about: How many contacts are in a segment at a watermark, and how many of them are opted in.
SELECT
    count() AS profiles,
    countIf(p.consent_email = 'opted_in') AS email_opt_ins,
    countIf(p.consent_sms = 'opted_in') AS sms_opt_ins
FROM
(
    SELECT contact
    FROM memberships
    WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    GROUP BY contact
    HAVING argMax(member, (load, position)) = 1
) AS m
LEFT JOIN
(
    SELECT contact, argMax(consent_email, load) AS consent_email, argMax(consent_sms, load) AS consent_sms
    FROM profiles
    WHERE account = {account:UInt32} AND load <= {load:UInt64}
    GROUP BY contact
) AS p ON p.contact = m.contact

-- name: segment_members
-- about: A page of the contacts in a segment at a watermark, found by words, in an order, after a place in it.
WITH
    people AS
    (
        SELECT
            m.contact AS contact,
            m.entered AS entered,
            p.first_name AS first_name,
            p.last_name AS last_name,
            p.email AS email,
            p.consent_email AS consent_email,
            p.consent_sms AS consent_sms,
            p.gone AS gone,
            trimBoth(concat(p.first_name, ' ', p.last_name)) AS full_name,
            replaceRegexpAll(lowerUTF8(normalizeUTF8NFKD(full_name)), '\\p{Mn}', '') AS folded_name,
            multiIf(
                {sort:String} = 'name', if(full_name = '', if({down:UInt8}, ' ', '~~'), folded_name),
                {sort:String} = 'email', if(p.email = '', if({down:UInt8}, ' ', '~~'), lowerUTF8(p.email)),
                {sort:String} = 'email_opt_in', toString(p.consent_email = 'opted_in'),
                {sort:String} = 'sms_opt_in', toString(p.consent_sms = 'opted_in'),
                leftPad(toString(toUnixTimestamp64Milli(m.entered)), 14, '0')
            ) AS key
        FROM
        (
            SELECT contact, argMax(at, (load, position)) AS entered
            FROM memberships
            WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
            GROUP BY contact
            HAVING argMax(member, (load, position)) = 1
        ) AS m
        LEFT JOIN
        (
            SELECT
                contact, first_name, last_name, email, phone, external_id, consent_email, consent_sms, gone
            FROM profiles_at(account = {account:UInt32}, load = {load:UInt64})
        ) AS p ON p.contact = m.contact
        WHERE empty({words:Array(String)})
            OR arrayAll(
                word -> position(
                    replaceRegexpAll(
                        lowerUTF8(normalizeUTF8NFKD(concat(full_name, ' ', p.email, ' ', p.phone, ' ', p.external_id))),
                        '\\p{Mn}',
                        ''
                    ),
                    word
                ) > 0,
                {words:Array(String)}
            )
    )
SELECT
    contact, toUnixTimestamp64Milli(entered) AS entered_at,
    first_name, last_name, email, consent_email, consent_sms, gone, key
FROM people
WHERE NOT {on:UInt8}
    OR if({down:UInt8}, key < {after:String}, key > {after:String})
    OR (key = {after:String} AND contact < {after_contact:UInt64})
ORDER BY if({down:UInt8}, key, '') DESC, if({down:UInt8}, '', key), contact DESC
LIMIT {limit:UInt32}

-- name: segment_members_count
-- about: How many contacts are in a segment at a watermark, among those found by words.
SELECT count() AS members
FROM
(
    SELECT contact
    FROM memberships
    WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    GROUP BY contact
    HAVING argMax(member, (load, position)) = 1
) AS m
LEFT JOIN
(
    SELECT contact, concat(first_name, ' ', last_name, ' ', email, ' ', phone, ' ', external_id) AS said
    FROM profiles_at(account = {account:UInt32}, load = {load:UInt64})
) AS p ON p.contact = m.contact
WHERE arrayAll(
    word -> position(replaceRegexpAll(lowerUTF8(normalizeUTF8NFKD(p.said)), '\\p{Mn}', ''), word) > 0,
    {words:Array(String)}
)

-- name: segment_changes
-- about: A page of the entries into a segment and the exits from it until a watermark, the latest first.
WITH
    page AS
    (
        SELECT contact, member, toUnixTimestamp64Milli(at) AS at_ms, load, position
        FROM memberships
        WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
            AND ({since:Int64} = 0 OR at_ms >= {since:Int64})
            AND ({until:Int64} = 0 OR at_ms < {until:Int64})
            AND ({kind:String} = '' OR member = ({kind:String} = 'entered'))
            AND (
                NOT {on:UInt8}
                OR (at_ms, load, position) < ({after:Int64}, {after_load:UInt64}, {after_position:UInt32})
            )
        ORDER BY at_ms DESC, load DESC, position DESC
        LIMIT {limit:UInt32}
    )
SELECT
    c.contact AS contact, c.member AS member, c.at_ms AS at, c.load AS load, c.position AS position,
    p.person.1 AS first_name, p.person.2 AS last_name, p.person.3 AS email, p.person.4 AS gone
FROM page AS c
LEFT JOIN
(
    SELECT contact, argMax((first_name, last_name, email, gone), load) AS person
    FROM profiles
    WHERE account = {account:UInt32} AND load <= {load:UInt64} AND contact IN (SELECT contact FROM page)
    GROUP BY contact
) AS p ON p.contact = c.contact
ORDER BY c.at_ms DESC, c.load DESC, c.position DESC

-- name: segment_changes_count
-- about: How many entries into a segment and exits from it a period holds, until a watermark.
SELECT countIf(member = 1) AS entries, countIf(member = 0) AS exits
FROM memberships
WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    AND ({since:Int64} = 0 OR toUnixTimestamp64Milli(at) >= {since:Int64})
    AND ({until:Int64} = 0 OR toUnixTimestamp64Milli(at) < {until:Int64})

-- name: segment_member_ids
-- about: Every contact in a segment at a watermark.
SELECT contact
FROM memberships
WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
GROUP BY contact
HAVING argMax(member, (load, position)) = 1
ORDER BY contact
