-- part: credited
-- about: The orders credited to deliveries of the messages chosen: sends that bounced are none.
FROM attributions_at(account = {account:UInt32}, load = {load:UInt64}, currency = {currency:String}, window = {window:UInt64}, messages = {messages:Array(UInt64)}) AS a
WHERE a.message IN {messages:Array(UInt64)}
  AND (a.message, a.send) IN (
    SELECT message, send
    FROM events
    WHERE account = {account:UInt32}
      AND name IN ('email.sent', 'email.bounced')
      AND message IN {messages:Array(UInt64)}
      AND send != ''
      AND ({journey:UInt64} = 0 OR journey = {journey:UInt64})
      AND load <= {load:UInt64}
    GROUP BY message, send
    HAVING countIf(name = 'email.sent') > 0 AND countIf(name = 'email.bounced') = 0
  )

-- name: message_orders
-- about: The orders credited to the deliveries of chosen messages: how many, of how many deliveries, and what they amount to by currency.
SELECT
    count() AS orders,
    uniqExact(a.message, a.send) AS deliveries,
    sumMap(map(a.money, a.amount)) AS revenue,
    sumMap(map(a.money, a.net)) AS net_revenue
@part(credited)

-- name: message_order_list
-- about: The orders credited to the deliveries of chosen messages, in one currency or in all (''), latest first, after a cursor.
SELECT
    a.order_key AS order_id,
    a.person AS contact,
    a.send AS send,
    toUnixTimestamp64Milli(a.placed_at) AS at_ms,
    a.money AS currency,
    a.amount AS amount,
    a.net AS net
@part(credited)
  AND ({only:String} = '' OR a.money = {only:String})
  AND ({after_at:Int64} = 0 OR (at_ms, order_id) < ({after_at:Int64}, {after_order:String}))
ORDER BY at_ms DESC, order_id DESC
LIMIT {limit:UInt32}

-- name: message_order_sends
-- about: The deliveries of chosen messages that orders are credited to, the one of the latest order first, after a cursor.
SELECT
    a.send AS send,
    any(a.person) AS contact,
    max(toUnixTimestamp64Milli(a.placed_at)) AS at_ms
@part(credited)
GROUP BY a.message, a.send
HAVING {after_at:Int64} = 0 OR (at_ms, send) < ({after_at:Int64}, {after_send:String})
ORDER BY at_ms DESC, send DESC
LIMIT {limit:UInt32}

-- name: order_attribution
-- about: The send that one order is credited to, and the click or open that decided; no row when it is credited to none.
SELECT message, send, clicked, toUnixTimestamp64Milli(touched_at) AS at_ms
FROM attributions_at(account = {account:UInt32}, load = {load:UInt64}, currency = {currency:String}, window = {window:UInt64}, messages = {messages:Array(UInt64)})
WHERE order_key = {order:String}
