"""The managers' list of tasks goes by birth, a page at a time, and counts them by state."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("research_pipeline", "0004_committee")]

    operations = [
        migrations.AddIndex(
            model_name="task", index=models.Index(fields=["space_id", "listing"], name="task_listing")
        ),
        migrations.AddIndex(
            model_name="task", index=models.Index(fields=["space_id", "state"], name="task_counted")
        ),
    ]
