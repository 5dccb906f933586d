"""What an exam lacks of the acquisition requirements, as its gateway found."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imaging_archive", "0002_isolation")]

    operations = [
        migrations.AddField(
            model_name="exam",
            name="unmet",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=300),
                default=list,
                help_text="What its gateway found it to lack of the acquisition requirements, in words.",
                size=None,
            ),
        ),
    ]
