"""The last few starts of a gateway's program, so that more than two with one enrolment are noticed."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0008_recorded")]

    operations = [
        migrations.AddField(
            model_name="gateway",
            name="runs",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64),
                default=list,
                help_text="The starts of the program that were heard, each once, the last one first; a few.",
                size=None,
            ),
        ),
        migrations.RemoveField(model_name="gateway", name="run"),
        migrations.RemoveField(model_name="gateway", name="run_before"),
    ]
