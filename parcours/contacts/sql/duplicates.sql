-- name: duplicate_keys
-- about: Contacts that share a key of some kind (a folded name with a birthday, an address without its tag…), key by key, after a key.
WITH people AS
(
    SELECT
        contact,
        email,
        splitByChar('@', email)[1] AS local,
        splitByChar('@', email)[2] AS domain,
        if(phone = '', '', right(phone, 9)) AS line,
        replaceRegexpAll(normalizeUTF8NFKD(lowerUTF8(first_name)), '[\\p{Mn}\\p{P}\\p{Z}\\s]', '') AS first,
        replaceRegexpAll(normalizeUTF8NFKD(lowerUTF8(last_name)), '[\\p{Mn}\\p{P}\\p{Z}\\s]', '') AS last,
        concat(first, ' ', last) AS name,
        replaceRegexpAll(normalizeUTF8NFKD(lowerUTF8(city)), '[\\p{Mn}\\p{P}\\p{Z}\\s]', '') AS town,
        arrayFirst(x -> x != '', arrayMap(k -> texts[k][1], {birthdays:Array(String)})) AS birthday,
        replaceRegexpAll(
            lowerUTF8(arrayFirst(x -> x != '', arrayMap(k -> texts[k][1], {postcodes:Array(String)}))), '\\s', ''
        ) AS postcode
    FROM profiles_at(account = {account:UInt32}, load = {load:UInt64})
    WHERE gone = 0
)
SELECT kind, key, groupArraySorted({most:UInt32})(contact) AS contacts, count() AS many
FROM
(
    SELECT
        contact,
        arrayJoin(arrayFilter(x -> x.2 != '', [
            ('email', multiIf(
                email = '', '',
                domain IN ('gmail.com', 'googlemail.com'),
                    concat(replaceAll(splitByChar('+', local)[1], '.', ''), '@gmail.com'),
                concat(splitByChar('+', local)[1], '@', domain)
            )),
            ('birthday', if(first = '' OR last = '' OR birthday = '', '', concat(name, ' ', left(birthday, 10)))),
            ('phone', if(last = '' OR length(line) < 9, '', concat(last, ' ', line))),
            ('postcode', if(first = '' OR last = '' OR postcode = '', '', concat(name, ' ', postcode))),
            ('city', if(first = '' OR last = '' OR town = '', '', concat(name, ' ', town))),
            ('local', if(
                first = '' OR last = '' OR length(local) < 4
                OR local IN ('info', 'contact', 'hello', 'admin', 'mail', 'bonjour', 'accueil'),
                '',
                concat(name, ' ', splitByChar('+', local)[1])
            ))
        ])) AS found,
        found.1 AS kind,
        found.2 AS key
    FROM people
)
WHERE (kind, key) > ({after_kind:String}, {after_key:String})
GROUP BY kind, key
HAVING many > 1
ORDER BY kind, key
LIMIT {limit:UInt32}
