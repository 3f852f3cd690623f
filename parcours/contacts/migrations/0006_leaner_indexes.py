import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("contacts", "0005_orders_of_contacts"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="contact", name="contact_phone"),
        migrations.RemoveConstraint(model_name="contact", name="contact_external_id"),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("phone__isnull", False)),
                fields=("account", "phone"),
                name="contact_phone",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id__isnull", False)),
                fields=("account", "external_id"),
                name="contact_external_id",
            ),
        ),
        migrations.RemoveIndex(model_name="contact", name="contact_living"),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["account", "id", "erased_at"], name="contact_living"),
        ),
        migrations.AlterField(
            model_name="consentchange",
            name="account",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, to="accounts.account"
            ),
        ),
    ]
