-- The orders as they were at a watermark: orders_at(account = …, load = …, currency = …), the account's currency being
-- that of orders which name none. One row for each order that is a contact's: of its words the last received stands, a
-- refund without an amount gives all back, one in another currency than the order's nothing.
CREATE VIEW IF NOT EXISTS orders_at AS
SELECT
    w.order_key AS order_key,
    if(l.contact != 0, l.contact, w.word.1) AS person,
    w.word.3 AS placed_at,
    if(w.word.4 != '', w.word.4, {currency:String}) AS money,
    coalesce(w.word.5[1], w.word.5[2],
             if(w.word.5[3] - ifNull(w.word.5[4], toDecimal128(0, 10)) - ifNull(w.word.5[5], toDecimal128(0, 10)) >= 0,
                w.word.5[3] - ifNull(w.word.5[4], toDecimal128(0, 10)) - ifNull(w.word.5[5], toDecimal128(0, 10)), NULL),
             w.word.5[6], toDecimal128(0, 10)) AS amount,
    arraySum(arrayMap(
        r -> if(r.2 IN ('', money),
                coalesce(r.3[7], r.3[1], r.3[2],
                         if(r.3[3] - ifNull(r.3[4], toDecimal128(0, 10)) - ifNull(r.3[5], toDecimal128(0, 10)) >= 0,
                            r.3[3] - ifNull(r.3[4], toDecimal128(0, 10)) - ifNull(r.3[5], toDecimal128(0, 10)), NULL),
                         r.3[6], amount),
                toDecimal128(0, 10)),
        w.refunds)) AS given_back,
    if(w.cancelled > 0, toDecimal128(0, 10), greatest(amount - given_back, toDecimal128(0, 10))) AS net
FROM
(
    SELECT
        order_key,
        argMaxIf((contact, browser, occurred_at, code, said), (load, position), name = 'order.placed') AS word,
        groupUniqArrayIf((message_id, code, said), name = 'order.refunded') AS refunds,
        countIf(name = 'order.cancelled') AS cancelled,
        countIf(name = 'order.placed') AS placed
    FROM
    (
        SELECT
            name,
            message_id,
            if(order_id = '' AND name = 'order.placed', message_id, order_id) AS order_key,
            contact,
            if(contact = 0, visitor, toUUID('00000000-0000-0000-0000-000000000000')) AS browser,
            occurred_at,
            upper(substring(texts['currency'][1], 1, 12)) AS code,
            arrayMap(
                p -> if(notEmpty(numbers[p]) AND length(numbers[p]) = length(texts[p]),
                        if(numbers[p][1] BETWEEN 0 AND 1000000000000, toNullable(numbers[p][1]), NULL),
                        if(match(texts[p][1], '^[0-9]{1,12}([.][0-9]{1,10})?$'), toDecimal128OrNull(texts[p][1], 10), NULL)),
                ['subtotal', 'revenue', 'total', 'tax', 'shipping', 'value', 'amount']) AS said,
            load,
            position
        FROM events
        WHERE account = {account:UInt32}
          AND name IN ('order.placed', 'order.refunded', 'order.cancelled')
          AND load <= {load:UInt64}
    )
    WHERE order_key != ''
    GROUP BY order_key
    HAVING placed > 0
) AS w
LEFT JOIN
(
    SELECT visitor, merged, argMax(links.contact, load) AS contact
    FROM links
    WHERE account = {account:UInt32} AND load <= {load:UInt64}
    GROUP BY visitor, merged
) AS l ON l.visitor = w.word.2 AND l.merged = w.word.1
WHERE person != 0;

-- The send that each order is credited to at a watermark: attributions_at(account = …, load = …, currency = …,
-- window = …, messages = …), the window in milliseconds; of buyers of some messages alone, where any are given. It is the
-- send of the buyer's latest click by a person at most that long before the order, both ends in; failing any, of the
-- latest open. At one instant the one received last wins. Orders are fewer than clicks and opens: they are what is held.
CREATE VIEW IF NOT EXISTS attributions_at AS
WITH merges AS
(
    SELECT merged, argMax(links.contact, load) AS whom
    FROM links
    WHERE account = {account:UInt32} AND load <= {load:UInt64} AND merged != 0
    GROUP BY merged
),
touched AS
(
    SELECT DISTINCT if(m.whom != 0, m.whom, e.contact) AS person
    FROM events AS e
    LEFT JOIN merges AS m ON m.merged = e.contact
    WHERE e.account = {account:UInt32}
      AND e.name IN ('email.clicked', 'sms.clicked', 'email.opened', 'whatsapp.opened')
      AND e.message IN {messages:Array(UInt64)}
      AND e.machine = 0
      AND e.load <= {load:UInt64}
)
SELECT
    o.order_key AS order_key,
    any(o.person) AS person,
    any(o.placed_at) AS placed_at,
    any(o.money) AS money,
    any(o.amount) AS amount,
    any(o.net) AS net,
    argMax((t.message, t.send, t.clicked, t.occurred_at), (t.clicked, t.occurred_at, t.load, t.position)) AS touch,
    touch.1 AS message,
    touch.2 AS send,
    touch.3 AS clicked,
    touch.4 AS touched_at
FROM
(
    SELECT
        if(m.whom != 0, m.whom, e.contact) AS person,
        e.message AS message,
        e.send AS send,
        e.name IN ('email.clicked', 'sms.clicked') AS clicked,
        e.occurred_at AS occurred_at,
        e.load AS load,
        e.position AS position
    FROM events AS e
    LEFT JOIN merges AS m ON m.merged = e.contact
    WHERE e.account = {account:UInt32}
      AND e.name IN ('email.clicked', 'sms.clicked', 'email.opened', 'whatsapp.opened')
      AND e.machine = 0
      AND e.send != ''
      AND e.load <= {load:UInt64}
      AND (empty({messages:Array(UInt64)}) OR person IN (SELECT person FROM touched))
) AS t
INNER JOIN
(
    SELECT *
    FROM orders_at(account = {account:UInt32}, load = {load:UInt64}, currency = {currency:String})
    WHERE empty({messages:Array(UInt64)}) OR person IN (SELECT person FROM touched)
) AS o ON o.person = t.person
WHERE t.occurred_at <= o.placed_at
  AND t.occurred_at >= o.placed_at - toIntervalMillisecond({window:UInt64})
GROUP BY o.order_key;
