-- name: segments_figures
-- about: How many contacts are in each of some segments at a watermark, and how many of them are opted in.
SELECT
    m.segment AS segment,
    count() AS profiles,
    countIf(bitTest(p.consents, 0)) AS email_opt_ins,
    countIf(bitTest(p.consents, 1)) AS sms_opt_ins
FROM
(
    SELECT segment, contact
    FROM memberships
    WHERE account = {account:UInt32} AND segment IN {segments:Array(UInt64)} AND load <= {load:UInt64}
    GROUP BY segment, contact
    HAVING argMax(member, (load, position)) = 1
) AS m
LEFT JOIN
(
    SELECT contact, argMax((consent_email = 'opted_in') + 2 * (consent_sms = 'opted_in'), load) AS consents
    FROM profiles
    WHERE account = {account:UInt32} AND load <= {load:UInt64}
    GROUP BY contact
) AS p ON p.contact = m.contact
GROUP BY m.segment

-- name: segments_figures_since
-- about: By how much those figures of some segments differ from what they were at an earlier watermark.
WITH
    changed AS
    (
        SELECT contact
        FROM memberships
        WHERE account = {account:UInt32} AND segment IN {segments:Array(UInt64)}
            AND load > {since:UInt64} AND load <= {load:UInt64}
        UNION DISTINCT
        SELECT contact
        FROM profiles
        WHERE account = {account:UInt32} AND load > {since:UInt64} AND load <= {load:UInt64}
    )
SELECT
    m.segment AS segment,
    sum(m.later) - sum(m.earlier) AS profiles,
    sum(m.later * bitTest(p.later, 0)) - sum(m.earlier * bitTest(p.earlier, 0)) AS email_opt_ins,
    sum(m.later * bitTest(p.later, 1)) - sum(m.earlier * bitTest(p.earlier, 1)) AS sms_opt_ins
FROM
(
    SELECT
        segment,
        contact,
        toInt64(argMax(member, (load, position))) AS later,
        toInt64(argMaxIf(member, (load, position), load <= {since:UInt64})) AS earlier
    FROM memberships
    WHERE account = {account:UInt32} AND segment IN {segments:Array(UInt64)} AND load <= {load:UInt64}
        AND contact IN (SELECT contact FROM changed)
    GROUP BY segment, contact
) AS m
LEFT JOIN
(
    SELECT contact, argMax(consents, load) AS later, argMaxIf(consents, load, load <= {since:UInt64}) AS earlier
    FROM
    (
        SELECT contact, load, (consent_email = 'opted_in') + 2 * (consent_sms = 'opted_in') AS consents
        FROM profiles
        WHERE account = {account:UInt32} AND load <= {load:UInt64} AND contact IN (SELECT contact FROM changed)
    )
    GROUP BY contact
) AS p ON p.contact = m.contact
GROUP BY m.segment
