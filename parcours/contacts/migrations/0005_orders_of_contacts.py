from django.db import migrations, models

_AT_ONCE = 20_000


def fill(apps, schema_editor):
    """Give every contact what its name sorts by."""
    from parcours.contacts.folding import sort_name

    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.create_function("parcours_sort_name", 2, sort_name, deterministic=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE contacts_contact SET sort_name = parcours_sort_name(first_name, last_name)"
                " WHERE first_name IS NOT NULL OR last_name IS NOT NULL"
            )
        return
    last = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id, first_name, last_name FROM contacts_contact"
                " WHERE id > %s AND (first_name IS NOT NULL OR last_name IS NOT NULL) ORDER BY id LIMIT %s",
                [last, _AT_ONCE],
            )
            people = cursor.fetchall()
            if not people:
                return
            last = people[-1][0]
            cursor.execute(
                "UPDATE contacts_contact SET sort_name = given.name"
                " FROM unnest(%s::bigint[], %s::text[]) AS given(id, name) WHERE contacts_contact.id = given.id",
                [[row[0] for row in people], [sort_name(row[1], row[2]) for row in people]],
            )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("contacts", "0004_fewer_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="sort_name",
            field=models.CharField(blank=True, editable=False, max_length=120, null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="contact", name="contact_living"),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["account", "-id", "erased_at"], name="contact_living"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["account", "sort_name", "id", "erased_at"], name="contact_by_name"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["account", "created_at", "id", "erased_at"], name="contact_by_creation"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["account", "last_seen_at", "id", "erased_at"], name="contact_by_sight"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["account", "consent_email", "consent_sms", "consent_whatsapp", "erased_at"],
                name="contact_consents",
            ),
        ),
    ]
