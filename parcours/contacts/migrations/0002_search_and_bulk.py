import django.db.models.deletion
from django.db import migrations, models

import parcours.lib.clock
import parcours.lib.instants


class Migration(migrations.Migration):
    # The index of search is made after this migration by `contacts.search.install`.

    dependencies = [
        ("accounts", "0001_initial"),
        ("contacts", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="contact", name="contact_newest"),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("erased_at__isnull", True)),
                fields=["account", "-id"],
                name="contact_living",
            ),
        ),
        migrations.CreateModel(
            name="BulkStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("contact_ids", models.JSONField()),
                ("at", parcours.lib.instants.InstantField(default=parcours.lib.clock.now)),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bulk_steps",
                        to="accounts.job",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="bulk_step_at")],
                "constraints": [models.UniqueConstraint(fields=("job", "number"), name="bulk_step_once")],
            },
        ),
    ]
