import django.db.models.functions.datetime
from django.db import migrations, models

import collegium.kit.ids
import collegium.kit.rls


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="MailChoice",
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
                ("person", models.UUIDField(editable=False, unique=True)),
                ("wants_mail", models.BooleanField(default=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Notification",
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
                ("person", models.UUIDField(editable=False)),
                ("kind", models.CharField(help_text="A `NotificationKind`.", max_length=30)),
                (
                    "address",
                    models.CharField(
                        blank=True, help_text="Path on this server where it waits.", max_length=200
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("seen_at", models.DateTimeField(null=True)),
                ("mailed_at", models.DateTimeField(help_text="When it stood in an e-mail.", null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["person", "-id"], name="notification_person"),
                    models.Index(
                        condition=models.Q(("seen_at", None)),
                        fields=["person"],
                        name="notification_waits",
                    ),
                ],
            },
        ),
    ]
