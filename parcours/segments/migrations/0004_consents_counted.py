from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('segments', '0003_life_by_time'),
    ]

    operations = [
        migrations.AddField(
            model_name='stirred',
            name='consents',
            field=models.BooleanField(default=False, help_text='Whether consents changed, which figures count.'),
        ),
        migrations.AddField(
            model_name='upkeep',
            name='consents_load',
            field=models.BigIntegerField(default=0, help_text='The last load that changed consents.'),
        ),
        migrations.AddField(
            model_name='upkeep',
            name='figured_load',
            field=models.BigIntegerField(default=0, help_text='Until which such load all figures count them.'),
        ),
    ]
