"""What a project asks of an exam's acquisition, what becomes of what lacks it, and a gateway's pinned version."""

from django.db import migrations, models

import collegium.kit.ids
import collegium.kit.rls
from collegium.kit.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0006_shared"), ("trust_tenancy", "0002_isolation")]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="when_unmet",
            field=models.CharField(
                choices=[("tell", "tell"), ("hold", "hold")],
                default="tell",
                help_text="What becomes of an exam that does not meet the project's acquisition requirements.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="protocol",
            field=models.PositiveSmallIntegerField(default=1, help_text="The newest that it speaks."),
        ),
        migrations.AddField(
            model_name="gateway",
            name="pinned_software",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The version it shall not be updated beyond; empty: none.",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="channelversion",
            name="first_digest",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of what a gateway is told that speaks the first protocol.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="ProjectRequirements",
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
                ("text", models.TextField(help_text="The wire's message.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("space_id",), name="project_requirements_once")
                ]
            },
        ),
        *isolate("imaging_connections_projectrequirements"),
    ]
