"""Who gave a task back themselves: they are not drawn for it again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("research_pipeline", "0005_task_listing")]

    operations = [
        migrations.AddField(
            model_name="task",
            name="was_handed_back",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Its person gave it back: they are drawn for none of the step.",
            ),
        ),
    ]
