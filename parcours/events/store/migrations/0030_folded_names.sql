-- Names, and addresses with numbers and external ids, without case nor accents: what lists of people sort by and search.
ALTER TABLE profiles
    ADD COLUMN IF NOT EXISTS name_folded String MATERIALIZED if(
        isValidASCII(concat(first_name, last_name)),
        lower(trimBoth(concat(first_name, ' ', last_name))),
        replaceRegexpAll(lowerUTF8(normalizeUTF8NFKD(trimBoth(concat(first_name, ' ', last_name)))), '\\p{Mn}', '')
    ),
    ADD COLUMN IF NOT EXISTS keys_folded String MATERIALIZED if(
        isValidASCII(concat(email, phone, external_id)),
        lower(concat(email, ' ', phone, ' ', external_id)),
        replaceRegexpAll(lowerUTF8(normalizeUTF8NFKD(concat(email, ' ', phone, ' ', external_id))), '\\p{Mn}', '')
    );

ALTER TABLE profiles MATERIALIZE COLUMN name_folded, MATERIALIZE COLUMN keys_folded;
