"""Message ids are kept by their hash alone: one tree on SQLite, where each insert touched three."""

from typing import Any

import django.db.models.fields.composite
from django.db import migrations

_SQLITE = (
    "ALTER TABLE events_seenmessage RENAME TO events_seenmessage_before",
    "CREATE TABLE events_seenmessage (account_id bigint NOT NULL, hash BLOB NOT NULL,"
    " received_at bigint NOT NULL, forever bool NOT NULL, PRIMARY KEY (account_id, hash)) WITHOUT ROWID",
    "INSERT INTO events_seenmessage SELECT account_id, hash, received_at, forever FROM events_seenmessage_before",
    "DROP TABLE events_seenmessage_before",
)
_POSTGRESQL = (
    "DROP INDEX seen_age",
    "ALTER TABLE events_seenmessage DROP CONSTRAINT seen_once, DROP COLUMN id, ADD PRIMARY KEY (account_id, hash)",
)


def keep_by_hash(apps: Any, schema_editor: Any) -> None:
    """Keep what is remembered, in a table without a number of its own."""
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0003_load_watermark"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(keep_by_hash)],
            state_operations=[
                migrations.RemoveIndex(model_name="seenmessage", name="seen_age"),
                migrations.RemoveConstraint(model_name="seenmessage", name="seen_once"),
                migrations.RemoveField(model_name="seenmessage", name="id"),
                migrations.AddField(
                    model_name="seenmessage",
                    name="pk",
                    field=django.db.models.fields.composite.CompositePrimaryKey(
                        "account_id",
                        "hash",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
    ]
