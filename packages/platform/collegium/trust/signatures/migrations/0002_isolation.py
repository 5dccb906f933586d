"""Row-level security of signatures; they are only ever added."""

from django.db import migrations

from collegium.kit.rls import append_only, isolate

KEYS = """
alter table trust_signatures_signature add constraint trust_signatures_signature_in_space unique (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trust_signatures", "0001_tables"),
        ("trust_tenancy", "0002_isolation"),
        ("trust_audit", "0002_chain"),
    ]

    operations = [
        *isolate("trust_signatures_signature"),
        *append_only("trust_signatures_signature"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
