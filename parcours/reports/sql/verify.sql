-- name: verify_journey_events
-- about: The sums of a journey once more, from the events themselves: entries, passages by step, ends by reason.
SELECT
    multiIf(name = 'journey.entered', if(has(texts['holdout'], 'true'), 'holdout', 'entered'),
            name = 'journey.step_entered', 'step',
            name = 'journey.completed', 'completed', 'exited') AS kind,
    if(name = 'journey.step_entered', toString(step), '') AS place,
    if(name = 'journey.exited', arrayElement(texts['reason'], 1), '') AS why,
    uniqExact(message_id) AS runs
FROM events
WHERE account = {account:UInt32}
  AND name IN ('journey.entered', 'journey.step_entered', 'journey.completed', 'journey.exited')
  AND journey = {journey:UInt64}
  AND load <= {load:UInt64}
GROUP BY kind, place, why

-- name: verify_sends
-- about: The sends of a message that this installation made itself (imported ones are not), and those that bounced.
SELECT
    count() AS sends,
    countIf(bounced) AS bounces
FROM
(
    SELECT
        send,
        countIf(name = 'email.sent' AND message_id = concat('send-', send, '-sent')) > 0 AS own,
        countIf(name = 'email.bounced') > 0 AS bounced
    FROM events
    WHERE account = {account:UInt32}
      AND name IN ('email.sent', 'email.bounced')
      AND message = {message:UInt64}
      AND send != ''
      AND load <= {load:UInt64}
    GROUP BY send
    HAVING own
)

-- name: verify_touches
-- about: The clicks and opens of some contacts, by people, in any message.
SELECT contact, name, toUnixTimestamp64Milli(occurred_at) AS at_ms, load, position, message, send
FROM events
WHERE account = {account:UInt32}
  AND name IN ('email.clicked', 'sms.clicked', 'email.opened', 'whatsapp.opened')
  AND contact IN {contacts:Array(UInt64)}
  AND machine = 0
  AND send != ''
  AND load <= {load:UInt64}

-- name: verify_fates
-- about: Whether some sends went out, and whether they bounced.
SELECT DISTINCT message, send, name
FROM events
WHERE account = {account:UInt32}
  AND name IN ('email.sent', 'email.bounced')
  AND send IN {sends:Array(String)}
  AND load <= {load:UInt64}
