"""Finding contacts by words: each word typed must begin a word of a name, an address, a number or an external id.

Case and accents make no difference ("lefev" finds "Lefèvre"). The database keeps the index by itself, whoever writes
contacts: on PostgreSQL by an index on an expression; on SQLite an FTS5 table has taken in everybody up to an id
(`settle`; ids only grow), and triggers note who of these changed since. There is none at insertions, whose rows SQLite
would put aside for it. `install` makes it after each migration, because SQLite drops a table's triggers when a
migration rebuilds the table.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import phonenumbers
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Field
from django.db.models.expressions import RawSQL

from parcours.contacts import normalise
from parcours.contacts.models import Contact

_COLUMNS = ("email", "phone", "external_id", "first_name", "last_name")
AT_ONCE = 5_000  # contacts taken into the index in one transaction
_MOST_WORDS = 8
_LONGEST_WORD = 60
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\+?[\d\s().\-/]+")
_SHORTEST_NUMBER = 4  # digits: fewer say nothing of a telephone


def fold(text: str) -> str:
    """A text without case nor accents, as words are compared."""
    apart = unicodedata.normalize("NFD", text.lower())
    return "".join(
        character
        for character in apart
        # What the oldest of Unicode's tables does not know might part words for SQLite, which has its own.
        if not unicodedata.combining(character) and unicodedata.ucd_3_2_0.category(character) != "Cn"
    )


def groups(text: str, *, country: str) -> list[list[str]]:
    """What is looked for: of each group, one of the words must begin a word of the contact."""
    if _NUMBER.fullmatch(text.strip()):
        digits = "".join(character for character in text if character.isdigit())
        if len(digits) >= _SHORTEST_NUMBER:
            return [_numbers(digits, country=country)]
    words = _WORD.findall(fold(text))[:_MOST_WORDS]
    return [[word[:_LONGEST_WORD]] for word in dict.fromkeys(words)]


def _numbers(digits: str, *, country: str) -> list[str]:
    """A number as it was typed, and as E.164 begins it in the account's country."""
    prefix = phonenumbers.country_code_for_region(country) if country else 0
    national = digits.lstrip("0")
    forms = [digits, national] if digits.startswith("00") else [digits]
    if prefix and national:
        forms.append(f"{prefix}{national}")
    return list(dict.fromkeys(form[:_LONGEST_WORD] for form in forms if form))


def matching(account_id: int, text: str, *, country: str, using: str = DEFAULT_DB_ALIAS) -> RawSQL | None:
    """The ids of the contacts found, as a subquery; None when the text holds no word.

    It sees every change, but for those of a large import under way, which take some seconds.
    """
    wanted = groups(text, country=country)
    if not wanted:
        return None
    settle(using=using)
    phone = _phone(text, country=country)
    field: Field[Any, Any] = Contact._meta.get_field("id")
    if connections[using].vendor == "postgresql":
        asked = " & ".join("(" + " | ".join(f"'{word}':*" for word in group) + ")" for group in wanted)
        return RawSQL(
            "SELECT id FROM contacts_contact WHERE account_id = %s AND (phone = %s OR"
            " contacts_words(email, phone, external_id, first_name, last_name) @@ %s::tsquery)",
            [account_id, phone, asked],
            output_field=field,
        )
    return RawSQL(
        "SELECT rowid FROM contacts_search WHERE contacts_search MATCH %s"
        " UNION ALL SELECT id FROM contacts_contact WHERE account_id = %s AND phone = %s",
        [_match(wanted), account_id, phone],
        output_field=field,
    )


def few(account_id: int, text: str, *, country: str, limit: int) -> list[int] | None:
    """The ids of the contacts found, not erased, when they are `limit` at most: no more are looked at."""
    matched = matching(account_id, text, country=country)
    if matched is None:
        return []
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql":
        rows = Contact.objects.filter(account_id=account_id, erased_at__isnull=True)
        found = list(rows.filter(pk__in=matched).values_list("pk", flat=True)[: limit + 1])
        return found if len(found) <= limit else None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contacts_search.rowid FROM contacts_search CROSS JOIN contacts_contact"
            " ON contacts_contact.id = contacts_search.rowid"
            " WHERE contacts_search MATCH %s AND account_id = %s AND erased_at IS NULL"
            " UNION ALL SELECT id FROM contacts_contact WHERE account_id = %s AND phone = %s LIMIT %s",
            [
                _match(groups(text, country=country)),
                account_id,
                account_id,
                _phone(text, country=country),
                limit + 1,
            ],
        )
        found = [row[0] for row in cursor.fetchall()]
    return list(dict.fromkeys(found)) if len(found) <= limit else None


def _match(wanted: list[list[str]]) -> str:
    """The words in the language of FTS5."""
    return " AND ".join("(" + " OR ".join(f'"{word}" *' for word in group) + ")" for group in wanted)


def _phone(text: str, *, country: str) -> str | None:
    try:
        return normalise.phone(text, country=country)
    except normalise.Unfit:
        return None


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the index where it is missing, and fill it. Harmless when it is there."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _install_postgresql(cursor)
        else:
            _install_sqlite(cursor)


def after_migrate(*, using: str, **_kwargs: Any) -> None:
    """A listener of `post_migrate`."""
    install(using)


_NAMES = ", ".join(_COLUMNS)
_OLD = ", ".join(f"old.{column}" for column in _COLUMNS)
_CHANGED = " OR ".join(f"old.{column} IS NOT new.{column}" for column in _COLUMNS)
_TRIGGERS = {
    "contacts_unindexed_update": (
        f"AFTER UPDATE OF {_NAMES} ON contacts_contact"
        f" WHEN old.id <= (SELECT upto FROM contacts_indexed) AND ({_CHANGED}) BEGIN"
        f" INSERT OR IGNORE INTO contacts_unindexed(id, {_NAMES}) VALUES (old.id, {_OLD}); END"
    ),
    "contacts_unindexed_delete": (
        "AFTER DELETE ON contacts_contact WHEN old.id <= (SELECT upto FROM contacts_indexed) BEGIN"
        f" INSERT OR IGNORE INTO contacts_unindexed(id, {_NAMES}) VALUES (old.id, {_OLD}); END"
    ),
}


def _install_sqlite(cursor: Any) -> None:
    cursor.execute(
        "SELECT name FROM sqlite_master"
        " WHERE tbl_name IN ('contacts_search', 'contacts_indexed', 'contacts_contact')"
    )
    there = {row[0] for row in cursor.fetchall()}
    if {"contacts_search", "contacts_indexed", *_TRIGGERS} <= there or "contacts_contact" not in there:
        return
    cursor.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS contacts_search USING fts5({_NAMES},"
        " content='contacts_contact', content_rowid='id', columnsize=0, detail='none',"
        " tokenize='unicode61 remove_diacritics 2')"
    )
    columns = ", ".join(f"{column} text" for column in _COLUMNS)
    # The tables and triggers may be those of an earlier version.
    for name in ("contacts_unindexed_insert", *_TRIGGERS):
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
    cursor.execute("DROP TABLE IF EXISTS contacts_unindexed")
    cursor.execute(f"CREATE TABLE contacts_unindexed (id integer PRIMARY KEY, {columns})")
    cursor.execute("DROP TABLE IF EXISTS contacts_indexed")
    cursor.execute("CREATE TABLE contacts_indexed (upto integer NOT NULL)")
    cursor.execute("INSERT INTO contacts_search(contacts_search) VALUES ('rebuild')")
    cursor.execute("INSERT INTO contacts_indexed SELECT coalesce(max(id), 0) FROM contacts_contact")
    for name, sql in _TRIGGERS.items():
        cursor.execute(f"CREATE TRIGGER {name} {sql}")


_NEW = "contacts_contact WHERE id > (SELECT upto FROM contacts_indexed)"


def settle(*, limit: int = AT_ONCE, using: str = DEFAULT_DB_ALIAS) -> int:
    """Take contacts that changed into the index, at most `limit` of them; answers how many there were.

    Many at a time cost a fifth of what each would alone in its trigger, which imports would feel. On PostgreSQL the
    index does as much by itself.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM contacts_unindexed) OR EXISTS (SELECT 1 FROM {_NEW})")
        if not cursor.fetchone()[0]:
            return 0
        with transaction.atomic(using=using):
            count = _take_in_changed(cursor, limit)
            return count + _take_in_new(cursor, limit - count) if count < limit else count


def _take_in_changed(cursor: Any, limit: int) -> int:
    cursor.execute(
        "SELECT max(id), count(*) FROM (SELECT id FROM contacts_unindexed ORDER BY id LIMIT %s)", [limit]
    )
    last, count = cursor.fetchone()
    if count:
        cursor.execute(
            f"INSERT INTO contacts_search(contacts_search, rowid, {_NAMES})"
            f" SELECT 'delete', id, {_NAMES} FROM contacts_unindexed WHERE id <= %s",
            [last],
        )
        cursor.execute(
            f"INSERT INTO contacts_search(rowid, {_NAMES}) SELECT id, {_NAMES} FROM contacts_contact"
            " WHERE id IN (SELECT id FROM contacts_unindexed WHERE id <= %s)",
            [last],
        )
        cursor.execute("DELETE FROM contacts_unindexed WHERE id <= %s", [last])
    return int(count)


def _take_in_new(cursor: Any, limit: int) -> int:
    cursor.execute(f"SELECT max(id), count(*) FROM (SELECT id FROM {_NEW} ORDER BY id LIMIT %s)", [limit])
    last, count = cursor.fetchone()
    if count:
        cursor.execute(
            f"INSERT INTO contacts_search(rowid, {_NAMES}) SELECT id, {_NAMES} FROM {_NEW} AND id <= %s",
            [last],
        )
        cursor.execute("UPDATE contacts_indexed SET upto = %s", [last])
    return int(count)


def round() -> bool:
    """A round of the work process: whether there were contacts to take into the index."""
    return settle() > 0


#: What parts words, on PostgreSQL: whatever of ASCII is neither letter nor digit, and the usual marks beyond it.
_SEPARATORS = r"[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f\u00a0-\u00bf\u2000-\u206f\u3000]+"
_ASCII_SEPARATORS = r"[^a-zA-Z0-9\x80-\xff]+"
_JOINED = "lower(concat_ws(' ', VARIADIC parts))"
_FOLDED = rf"regexp_replace(normalize({_JOINED}, NFD), '[\u0300-\u036f]', '', 'g')"


def _install_postgresql(cursor: Any) -> None:
    cursor.execute("SELECT to_regclass('contacts_contact_words'), to_regclass('contacts_contact')")
    index, table = cursor.fetchone()
    if index is not None or table is None:
        return
    cursor.execute("SHOW server_encoding")
    # Only UTF-8 can be normalised: in another encoding accents make a difference.
    unicode = cursor.fetchone()[0] == "UTF8"
    words_sql = _FOLDED if unicode else _JOINED
    separators_sql = _SEPARATORS if unicode else _ASCII_SEPARATORS
    # Declared immutable, which `concat_ws` of texts is, so that an index can be made on it.
    cursor.execute(
        "CREATE OR REPLACE FUNCTION contacts_words(VARIADIC parts text[]) RETURNS tsvector"
        " LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $words$ SELECT array_to_tsvector(array_remove("
        f"regexp_split_to_array({words_sql}, '{separators_sql}'), '')) $words$"
    )
    cursor.execute(
        f"CREATE INDEX contacts_contact_words ON contacts_contact USING gin (contacts_words({_NAMES}))"
    )
