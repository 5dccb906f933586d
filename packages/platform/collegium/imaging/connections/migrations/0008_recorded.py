"""An enrolment is audited once for each code, so that asking again does not begin a gateway's trail anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0007_requirements")]

    operations = [
        migrations.AddField(
            model_name="enrolmentcode",
            name="recorded_at",
            field=models.DateTimeField(
                help_text="When the enrolment with it was audited, which is done once.", null=True
            ),
        ),
        # The owner sees all rows of this table (0002).
        migrations.RunSQL(
            "update imaging_connections_enrolmentcode set recorded_at = used_at where used_at is not null",
            migrations.RunSQL.noop,
        ),
    ]
