-- name: events_seen
-- about: The names of the events that an account received, with how many there are of each.
SELECT name, count() AS times
FROM events
WHERE account = {account:UInt32} AND load <= {load:UInt64}
GROUP BY name
ORDER BY times DESC, name
LIMIT {limit:UInt64}

-- name: event_properties_seen
-- about: The properties that events of a name bore lately, and of which of them some values were numbers; of so many events at most.
SELECT property, count() AS times, countIf(has(numbered, property)) AS numbers
FROM
(
    SELECT mapKeys(texts) AS named, mapKeys(numbers) AS numbered
    FROM events
    WHERE account = {account:UInt32} AND name = {name:String} AND load <= {load:UInt64}
      AND occurred_at >= fromUnixTimestamp64Milli({since:Int64})
    LIMIT {rows:UInt64}
)
ARRAY JOIN named AS property
GROUP BY property
ORDER BY times DESC, property
LIMIT {limit:UInt64}

-- name: event_values_seen
-- about: The values that a property of events of a name bore lately, the most frequent first; of so many events at most.
SELECT value, count() AS times
FROM
(
    SELECT texts[{property:String}] AS found
    FROM events
    WHERE account = {account:UInt32} AND name = {name:String} AND load <= {load:UInt64}
      AND occurred_at >= fromUnixTimestamp64Milli({since:Int64})
    LIMIT {rows:UInt64}
)
ARRAY JOIN found AS value
WHERE value != '' AND positionCaseInsensitiveUTF8(value, {search:String}) > 0
GROUP BY value
ORDER BY times DESC, value
LIMIT {limit:UInt64}

-- name: attribute_values_seen
-- about: The values of an attribute of contacts, the most frequent first; of so many contacts at most.
SELECT value, count() AS times
FROM
(
    SELECT texts[{attribute:String}] AS found
    FROM profiles
    WHERE account = {account:UInt32} AND load <= {load:UInt64}
    LIMIT {rows:UInt64}
)
ARRAY JOIN found AS value
WHERE value != '' AND positionCaseInsensitiveUTF8(value, {search:String}) > 0
GROUP BY value
ORDER BY times DESC, value
LIMIT {limit:UInt64}

-- name: field_values_seen
-- about: The values of a field of contacts that repeats (city, country, locale or timezone), the most frequent first; of so many contacts at most.
SELECT value, count() AS times
FROM
(
    SELECT multiIf({field:String} = 'city', city, {field:String} = 'country', country, {field:String} = 'locale', locale, timezone) AS value
    FROM profiles
    WHERE account = {account:UInt32} AND load <= {load:UInt64}
    LIMIT {rows:UInt64}
)
WHERE value != '' AND positionCaseInsensitiveUTF8(value, {search:String}) > 0
GROUP BY value
ORDER BY times DESC, value
LIMIT {limit:UInt64}
