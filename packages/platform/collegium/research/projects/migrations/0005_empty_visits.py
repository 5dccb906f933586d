"""A visit whose only exam was taken out again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("research_projects", "0004_unblinding")]

    operations = [
        migrations.AddField(
            model_name="visit",
            name="is_empty",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Its only exam was taken out again: it has not taken place.",
            ),
        ),
    ]
