"""An adjudication names the versions it settles."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("research_reads", "0002_isolation"), ("research_pipeline", "0004_committee")]

    operations = [
        migrations.AddField(
            "readversion",
            "settles",
            models.JSONField(
                default=dict,
                help_text="Of an adjudication: the versions shown as a and b, fixed at submission.",
            ),
        ),
    ]
