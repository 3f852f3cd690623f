from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0005_flips_timer"),
    ]

    operations = [
        migrations.RenameField("segment", "error", "error_detail"),
        migrations.AlterField(
            "segment",
            "error_detail",
            models.TextField(blank=True, help_text="What the machine said of a failure."),
        ),
        migrations.AddField(
            "segment",
            "error",
            models.CharField(
                blank=True,
                choices=[("criteria", "Criteria"), ("failure", "Failure")],
                default="",
                max_length=10,
            ),
            preserve_default=False,
        ),
        # What was said until now had no code.
        migrations.RunSQL(
            "UPDATE segments_segment SET error = 'failure' WHERE error_detail <> ''", migrations.RunSQL.noop
        ),
    ]
