"""When a test of the whole way came by a channel last, and how long it took."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0010_selected")]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="tested_at",
            field=models.DateTimeField(
                help_text="When a test of the whole way was receipted last.", null=True
            ),
        ),
        migrations.AddField(
            model_name="channel",
            name="tested_s",
            field=models.FloatField(default=0, help_text="How long it took here."),
        ),
    ]
