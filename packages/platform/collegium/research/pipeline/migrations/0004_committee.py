"""Independent readers, runs, orders of their own, adjudication: tasks get slots, and units may be subjects."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

import collegium.kit.ids
import collegium.kit.rls
from collegium.kit.rls import append_only, isolate

NUMBER_SLOTS = """
alter table research_pipeline_task no force row level security;
update research_pipeline_task task set slot = numbered.slot
from (
  select id, row_number() over (partition by space_id, unit_id, step order by listing) as slot
  from research_pipeline_task
) numbered
where numbered.id = task.id;
alter table research_pipeline_task force row level security;
"""
KEYS = """
alter table research_pipeline_discrepancy
  add foreign key (space_id, unit_id) references research_pipeline_readingunit (space_id, id);
"""
STATES = ["waiting", "open", "in_progress", "submitted", "signed", "cancelled", "superseded"]


class Migration(migrations.Migration):
    dependencies = [("research_pipeline", "0003_random_task_ids")]

    operations = [
        migrations.AlterField(
            "readingunit",
            "visit",
            models.ForeignKey(
                help_text="Empty when about a subject.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="research_projects.visit",
            ),
        ),
        migrations.AlterField(
            "readingunit",
            "exam",
            models.ForeignKey(
                help_text="Only when about an exam.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="imaging_archive.exam",
            ),
        ),
        migrations.AddConstraint(
            "readingunit",
            models.UniqueConstraint(
                condition=models.Q(("about", "subject")),
                fields=("space_id", "subject"),
                name="unit_subject_once",
            ),
        ),
        migrations.AlterField(
            "task",
            "state",
            models.CharField(choices=[(state, state) for state in STATES], max_length=20),
        ),
        migrations.AlterField(
            "task",
            "assignee",
            models.CharField(blank=True, help_text="Empty until somebody can have it.", max_length=120),
        ),
        migrations.AddField(
            "task",
            "slot",
            models.PositiveSmallIntegerField(default=1, help_text="Which of the step's independent readers."),
        ),
        migrations.AddField(
            "task",
            "run",
            models.PositiveSmallIntegerField(default=1, help_text="Grows when the step is run again."),
        ),
        migrations.AddField(
            "task",
            "position",
            models.PositiveIntegerField(
                help_text="In its reader's own order, fixed at the first open; drawn, never by arrival.",
                null=True,
            ),
        ),
        migrations.AddField(
            "task",
            "sides",
            models.JSONField(
                default=dict,
                help_text="Of an adjudication: the task shown as a and the one shown as b, drawn once.",
            ),
        ),
        migrations.RemoveConstraint("task", "task_once"),
        migrations.RunSQL(NUMBER_SLOTS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "task",
            models.UniqueConstraint(fields=("space_id", "unit", "step", "slot", "run"), name="task_once"),
        ),
        migrations.CreateModel(
            name="Discrepancy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=collegium.kit.rls.UUIDv7(),
                        default=collegium.kit.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("space_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "step",
                    models.CharField(help_text="The adjudication step whose rule was judged.", max_length=40),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[("agreed", "Agreed"), ("differs", "Differs"), ("unknown", "Unknown")],
                        max_length=10,
                    ),
                ),
                ("reads", models.JSONField(help_text="Task and entry of every compared read, by slot.")),
                (
                    "decided_by",
                    models.CharField(
                        blank=True, help_text="Who decided what the rule could not.", max_length=120
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("judged_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="research_pipeline.readingunit",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            "discrepancy",
            models.UniqueConstraint(fields=("space_id", "unit", "step", "number"), name="discrepancy_once"),
        ),
        *isolate("research_pipeline_discrepancy"),
        *append_only("research_pipeline_discrepancy"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
