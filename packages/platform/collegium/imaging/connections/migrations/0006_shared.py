"""Which start of a gateway's program was heard, so that two with one enrolment are noticed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0005_repeated_enrolment")]

    operations = [
        migrations.AddField(
            model_name="gateway",
            name="run",
            field=models.CharField(
                blank=True, help_text="The start of the program that was heard last.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="run_before",
            field=models.CharField(
                blank=True, help_text="The other one that was heard before it.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="shared_since",
            field=models.DateTimeField(help_text="When that was first heard.", null=True),
        ),
        migrations.AddField(
            model_name="gateway",
            name="shared_at",
            field=models.DateTimeField(
                help_text="When a start was last heard that another had followed already.", null=True
            ),
        ),
    ]
