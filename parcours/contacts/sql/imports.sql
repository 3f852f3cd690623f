-- name: contacts_active_since
-- about: Which of some contacts did or underwent anything after an import, other than entering and leaving segments.
SELECT DISTINCT contact
FROM events
WHERE account = {account:UInt32}
  AND load <= {load:UInt64}
  AND contact IN {contacts:Array(UInt64)}
  AND received_at >= fromUnixTimestamp64Milli({since:Int64})
  AND name NOT IN ('segment.entered', 'segment.left')
  AND (
      received_at > fromUnixTimestamp64Milli({until:Int64})
      OR name NOT IN ('contact.created', 'contact.updated', 'list.joined', 'email.subscription_updated', 'sms.subscription_updated', 'whatsapp.subscription_updated')
  )
UNION DISTINCT
SELECT DISTINCT contact
FROM links
WHERE account = {account:UInt32}
  AND load <= {load:UInt64}
  AND contact IN {contacts:Array(UInt64)}
