from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="visitorlink", name="visitor_once"),
        migrations.RemoveField(model_name="visitorlink", name="anonymous_hash"),
        migrations.AddField(
            model_name="visitorlink",
            name="browser",
            field=models.CharField(
                default="", max_length=32, help_text="Hash of the account and the anonymous id, in hex."
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="visitorlink",
            constraint=models.UniqueConstraint(
                fields=("account_id", "browser", "generation"), name="visitor_once"
            ),
        ),
    ]
