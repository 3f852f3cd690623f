-- part: sends
-- about: The sends of the messages chosen, each with all that became of it.
SELECT
    send,
    anyIf(@person(contact), name = 'email.sent') AS contact,
    maxIf(toUnixTimestamp64Milli(occurred_at), name = 'email.sent') AS sent_ms,
    anyIf(NOT has(texts['tracked_opens'], 'false'), name = 'email.sent') AS opens_tracked,
    anyIf(NOT has(texts['tracked_clicks'], 'false'), name = 'email.sent') AS clicks_tracked,
    countIf(name = 'email.bounced') > 0 AS bounced,
    countIf(name = 'email.opened' AND (machine = 0 OR {machines:UInt8} = 1)) AS opens,
    countIf(name = 'email.clicked' AND (machine = 0 OR {machines:UInt8} = 1)) AS clicks,
    countIf(name = 'email.complained') AS complaints,
    countIf(name = 'email.subscription_updated' AND has(texts['to'], 'opted_out')) AS opt_outs,
    countIf(name = 'email.sent') AS sent
FROM events
WHERE account = {account:UInt32}
  AND name IN ('email.sent', 'email.bounced', 'email.opened', 'email.clicked', 'email.complained',
               'email.subscription_updated')
  AND message IN {messages:Array(UInt64)}
  AND send != ''
  AND ({journey:UInt64} = 0 OR journey = {journey:UInt64})
  AND load <= {load:UInt64}
GROUP BY message, send
HAVING sent > 0

-- part: delivered
-- about: An event is of a send that went out and did not bounce.
(message, send) NOT IN (
      SELECT message, send
      FROM events
      WHERE account = {account:UInt32}
        AND name = 'email.bounced'
        AND message IN {messages:Array(UInt64)}
        AND load <= {load:UInt64}
  )
  AND (message, send) IN (
      SELECT message, send
      FROM events
      WHERE account = {account:UInt32}
        AND name = 'email.sent'
        AND message IN {messages:Array(UInt64)}
        AND load <= {load:UInt64}
  )

-- name: message_metrics
-- about: Everything that the metrics of chosen messages are made of, counted over their sends and recipients.
SELECT
    count() AS sends,
    countIf(bounced) AS bounces,
    countIf(NOT bounced) AS deliveries,
    uniqExactIf(contact, NOT bounced) AS recipients,
    countIf(opens_tracked) AS sends_with_opens,
    countIf(clicks_tracked) AS sends_with_clicks,
    countIf(NOT bounced AND (opens_tracked OR clicks_tracked)) AS deliveries_tracked,
    countIf(NOT bounced AND opens_tracked) AS deliveries_with_opens,
    countIf(NOT bounced AND clicks_tracked) AS deliveries_with_clicks,
    uniqExactIf(contact, NOT bounced AND opens > 0) AS opened,
    countIf(NOT bounced AND opens_tracked AND opens > 0) AS deliveries_opened,
    sumIf(opens, NOT bounced) AS total_opens,
    uniqExactIf(contact, NOT bounced AND clicks > 0) AS clicked,
    countIf(NOT bounced AND clicks_tracked AND clicks > 0) AS deliveries_clicked,
    sumIf(clicks, NOT bounced) AS total_clicks,
    length(arrayIntersect(
        groupUniqArrayIf(contact, NOT bounced AND opens > 0),
        groupUniqArrayIf(contact, NOT bounced AND clicks > 0)
    )) AS opened_and_clicked,
    sumIf(complaints, NOT bounced) AS abuse_reports,
    countIf(NOT bounced AND complaints > 0) AS deliveries_complained,
    uniqExactIf(contact, NOT bounced AND opt_outs > 0) AS unsubscribed,
    countIf(NOT bounced AND opt_outs > 0) AS deliveries_unsubscribed
FROM
(
    @part(sends)
)

-- name: message_sends
-- about: The sends behind a metric that counts sends, latest first, after a cursor.
SELECT send, contact, sent_ms AS at_ms
FROM
(
    @part(sends)
)
WHERE multiIf(
    {metric:String} = 'sends', 1,
    {metric:String} = 'bounces', bounced,
    {metric:String} = 'deliveries', NOT bounced,
    0
)
  AND ({after_at:Int64} = 0 OR (sent_ms, send) < ({after_at:Int64}, {after_send:String}))
ORDER BY sent_ms DESC, send DESC
LIMIT {limit:UInt32}

-- name: message_people
-- about: The contacts behind a metric that counts people, the latest to be written to first, after a cursor.
SELECT
    contact,
    max(sent_ms) AS at_ms,
    sum(opens) AS all_opens,
    sum(clicks) AS all_clicks
FROM
(
    @part(sends)
)
WHERE NOT bounced
GROUP BY contact
HAVING multiIf(
    {metric:String} = 'recipients', 1,
    {metric:String} = 'opened', all_opens > 0,
    {metric:String} = 'clicked', all_clicks > 0,
    {metric:String} = 'clicks_per_unique_open', all_opens > 0 AND all_clicks > 0,
    {metric:String} = 'unsubscribed', sum(opt_outs) > 0,
    0
)
   AND ({after_at:Int64} = 0 OR (at_ms, contact) < ({after_at:Int64}, {after_contact:UInt64}))
ORDER BY at_ms DESC, contact DESC
LIMIT {limit:UInt32}

-- name: message_events
-- about: The opens, clicks or complaints behind a total, latest first, after a cursor; those of bounced sends are out.
SELECT
    send,
    @person(contact) AS contact,
    toUnixTimestamp64Milli(occurred_at) AS at_ms,
    message_id,
    arrayElement(texts['original_url'], 1) AS url,
    machine
FROM events
WHERE account = {account:UInt32}
  AND name = {name:String}
  AND message IN {messages:Array(UInt64)}
  AND send != ''
  AND ({journey:UInt64} = 0 OR journey = {journey:UInt64})
  AND load <= {load:UInt64}
  AND (machine = 0 OR {machines:UInt8} = 1)
  AND @part(delivered)
  AND ({after_at:Int64} = 0
       OR (occurred_at, message_id) < (fromUnixTimestamp64Milli({after_at:Int64}), {after_id:String}))
ORDER BY occurred_at DESC, message_id DESC
LIMIT {limit:UInt32}

-- name: message_links
-- about: Clicks by link of a message: all of them, and the people who clicked; those of bounced sends are out.
SELECT
    arrayElement(texts['original_url'], 1) AS url,
    count() AS total_clicks,
    uniqExact(@person(contact)) AS clicked
FROM events
WHERE account = {account:UInt32}
  AND name = 'email.clicked'
  AND message IN {messages:Array(UInt64)}
  AND ({journey:UInt64} = 0 OR journey = {journey:UInt64})
  AND load <= {load:UInt64}
  AND (machine = 0 OR {machines:UInt8} = 1)
  AND @part(delivered)
GROUP BY url
ORDER BY total_clicks DESC, url
