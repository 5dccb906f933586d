"""A delivery may be a test: a gateway's own invented picture, which is checked and forgotten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imaging_ingest", "0003_recipe")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="is_test",
            field=models.BooleanField(
                default=False,
                help_text="Of a gateway's own invented picture, which is checked and forgotten.",
            ),
        ),
        migrations.AlterField(
            model_name="deliveryobject",
            name="state",
            field=models.CharField(
                choices=[
                    ("missing", "Missing"),
                    ("received", "Received"),
                    ("stored", "Stored"),
                    ("duplicate", "Duplicate"),
                    ("held", "Held"),
                    ("refused", "Refused"),
                    ("proven", "Proven"),
                ],
                default="missing",
                max_length=10,
            ),
        ),
    ]
