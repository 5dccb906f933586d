"""A channel may send only the objects that an export manifest names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0009_runs")]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="selected_only",
            field=models.BooleanField(
                default=False, help_text="Only objects that an IHE TCE manifest names are sent."
            ),
        ),
    ]
