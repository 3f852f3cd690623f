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

-- name: segment_members_sorted
-- about: A page of the contacts in a segment at a watermark whom words find, in an order, after a place in it.
SELECT
    m.contact AS contact,
    toUnixTimestamp64Milli(m.at) AS entered_at,
    p.first_name AS first_name,
    p.last_name AS last_name,
    p.email AS email,
    p.consent_email AS consent_email,
    p.consent_sms AS consent_sms,
    p.gone AS gone,
    trimBoth(concat(p.first_name, ' ', p.last_name)) AS full_name,
    multiIf(
        {sort:String} = 'name' AND full_name = '', {last:String},
        {sort:String} = 'name', if(isValidASCII(full_name), lower(full_name), replaceRegexpAll(lowerUTF8(normalizeUTF8NFKD(full_name)), '\\p{Mn}', '')),
        {sort:String} = 'email' AND p.email = '', {last:String},
        {sort:String} = 'email', lower(p.email),
        {sort:String} = 'email_opt_in', toString(p.consent_email = 'opted_in'),
        {sort:String} = 'sms_opt_in', toString(p.consent_sms = 'opted_in'),
        leftPad(toString(entered_at), 14, '0')
    ) AS key
FROM profiles_at(account = {account:UInt32}, load = {load:UInt64}) AS p
RIGHT JOIN
(
    SELECT contact, at
    FROM
    (
        SELECT contact, at, member
        FROM memberships
        WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
        ORDER BY contact, load DESC, position DESC
        LIMIT 1 BY contact
    )
    WHERE member = 1
) AS m ON p.contact = m.contact
WHERE (
        empty({words:Array(String)})
        OR arrayAll(
            word -> position(replaceRegexpAll(lowerUTF8(normalizeUTF8NFKD(
                    concat(p.first_name, ' ', p.last_name, ' ', p.email, ' ', p.phone, ' ', p.external_id)
                )), '\\p{Mn}', ''), word) > 0,
            {words:Array(String)}
        )
    )
    AND (
        NOT {on:UInt8}
        OR if({down:UInt8}, key < {after:String}, key > {after:String})
        OR (key = {after:String} AND m.contact < {after_contact:UInt64})
    )
ORDER BY if({down:UInt8}, key, '') DESC, if({down:UInt8}, '', key), m.contact DESC
LIMIT {limit:UInt32}

-- name: segment_changes
-- about: A page of the entries into a segment and the exits from it until a watermark, the latest first.
SELECT contact, member, toUnixTimestamp64Milli(at) AS at, load, position
FROM memberships AS m
WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    AND ({since:Int64} = 0 OR toUnixTimestamp64Milli(m.at) >= {since:Int64})
    AND ({until:Int64} = 0 OR toUnixTimestamp64Milli(m.at) < {until:Int64})
    AND ({kind:String} = '' OR member = ({kind:String} = 'entered'))
    AND (
        NOT {on:UInt8}
        OR (toUnixTimestamp64Milli(m.at), load, position)
            < ({after:Int64}, {after_load:UInt64}, {after_position:UInt32})
    )
ORDER BY m.at DESC, load DESC, position DESC
LIMIT {limit:UInt32}

-- name: segment_changes_count
-- about: How many entries into a segment and exits from it a period holds, until a watermark.
SELECT countIf(member = 1) AS entries, countIf(member = 0) AS exits
FROM memberships
WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    AND ({since:Int64} = 0 OR toUnixTimestamp64Milli(at) >= {since:Int64})
    AND ({until:Int64} = 0 OR toUnixTimestamp64Milli(at) < {until:Int64})
