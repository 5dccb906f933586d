"""Series of earlier timepoints are shown, never drawn on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imaging_grants", "0003_layers"),
    ]

    operations = [
        migrations.AddField(
            model_name="grantedseries",
            name="is_drawn_on",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Whether marks may be drawn on it: not on an earlier timepoint.",
            ),
        ),
    ]
