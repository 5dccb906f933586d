"""What was decided about visits that came late, and who placed an exam by hand."""

from django.db import migrations, models

UNPLACED = [
    ("", ""),
    ("not_published", "The project has no published version."),
    ("subject_unknown", "The subject is not listed in the project."),
    ("no_date", "The exam has no date, so its visit cannot be told."),
    ("no_visit", "No visit window fits the exam's date."),
    ("before_first", "The exam is older than the subject's first visit."),
    ("ambiguous", "The exam's date fits more than one visit window."),
    ("taken_back", "Somebody took it out of its visit."),
]
SEQUENCE = [("", ""), ("out", "Read out of sequence"), ("left_out", "Left out: it came late")]


class Migration(migrations.Migration):
    dependencies = [("research_pipeline", "0006_handed_back")]

    operations = [
        migrations.AlterField(
            model_name="examplacement",
            name="unplaced",
            field=models.CharField(blank=True, choices=UNPLACED, max_length=20),
        ),
        migrations.AddField(
            model_name="examplacement",
            name="placed_by",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Who placed it by hand; empty when its date did.",
                max_length=120,
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="has_late_images",
            field=models.BooleanField(default=False, help_text="Images came after it was begun."),
        ),
        migrations.AddField(
            model_name="task",
            name="sequence",
            field=models.CharField(
                blank=True,
                choices=SEQUENCE,
                db_default="",
                help_text="What was decided when its visit came after a later one was begun.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="task",
            name="begun_at",
            field=models.DateTimeField(help_text="When its person first saw it.", null=True),
        ),
    ]
