import django.db.models.deletion
from django.db import migrations, models

import parcours.lib.instants


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='reply_to',
            field=models.CharField(blank=True, max_length=320),
        ),
        migrations.CreateModel(
            name='Click',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account_id', models.BigIntegerField()),
                ('address', models.TextField(help_text='Where it led.')),
                ('agent', models.TextField(blank=True)),
                ('probe', models.BooleanField(default=False, help_text='A HEAD: nobody followed the link.')),
                ('at', parcours.lib.instants.InstantField()),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='messaging.link')),
                ('send', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clicks', to='messaging.send')),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='click_settling')],
            },
        ),
    ]
