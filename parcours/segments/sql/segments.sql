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
-- about: A page of the contacts in a segment at a watermark, the last to enter first, after a contact and its entry.
SELECT
    m.contact AS contact,
    toUnixTimestamp64Milli(m.entered) AS entered_at,
    p.person.1 AS first_name,
    p.person.2 AS last_name,
    p.person.3 AS email,
    p.person.4 AS consent_email,
    p.person.5 AS consent_sms,
    p.person.6 AS gone
FROM
(
    SELECT contact, argMax(at, (load, position)) AS entered
    FROM memberships
    WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
    GROUP BY contact
    HAVING argMax(member, (load, position)) = 1
        AND ({after:Int64} = 0 OR (toUnixTimestamp64Milli(entered), contact) < ({after:Int64}, {after_contact:UInt64}))
    ORDER BY entered DESC, contact DESC
    LIMIT {limit:UInt32}
) AS m
LEFT JOIN
(
    SELECT contact, argMax((first_name, last_name, email, consent_email, consent_sms, gone), load) AS person
    FROM profiles
    WHERE account = {account:UInt32} AND load <= {load:UInt64} AND contact IN
    (
        SELECT contact
        FROM memberships
        WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
        GROUP BY contact
        HAVING argMax(member, (load, position)) = 1
            AND (
                {after:Int64} = 0
                OR (toUnixTimestamp64Milli(argMax(at, (load, position))), contact)
                    < ({after:Int64}, {after_contact:UInt64})
            )
        ORDER BY argMax(at, (load, position)) DESC, contact DESC
        LIMIT {limit:UInt32}
    )
    GROUP BY contact
) AS p ON p.contact = m.contact
ORDER BY m.entered DESC, m.contact DESC

-- name: segment_member_ids
-- about: Every contact in a segment at a watermark.
SELECT contact
FROM memberships
WHERE account = {account:UInt32} AND segment = {segment:UInt64} AND load <= {load:UInt64}
GROUP BY contact
HAVING argMax(member, (load, position)) = 1
ORDER BY contact
