from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('segments', '0004_consents_counted'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='flips',
            name='segment_flips_due',
        ),
        migrations.AddIndex(
            model_name='flips',
            index=models.Index(fields=['due_at', 'account_id'], name='segment_flips_timer'),
        ),
    ]
