"""Row-level security of forms; versions and changes are only ever added."""

from django.db import migrations

from collegium.kit.rls import append_only, isolate

KEYS = """
alter table forms_formversion add constraint forms_formversion_in_space unique (space_id, id);
alter table forms_entry add constraint forms_entry_in_space unique (space_id, id);
alter table forms_entry add foreign key (space_id, form_version_id) references forms_formversion (space_id, id);
alter table forms_entrychange add foreign key (space_id, entry_id) references forms_entry (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("forms", "0001_tables"),
        ("trust_tenancy", "0002_isolation"),
        ("trust_audit", "0002_chain"),
    ]

    operations = [
        *isolate("forms_formversion"),
        *append_only("forms_formversion"),
        *isolate("forms_entry"),
        *isolate("forms_entrychange"),
        *append_only("forms_entrychange"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
