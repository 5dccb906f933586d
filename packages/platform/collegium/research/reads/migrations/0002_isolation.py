"""Row-level security of reads."""

from django.db import migrations

from collegium.kit.rls import isolate

KEYS = """
alter table research_reads_read add constraint research_reads_read_in_space unique (space_id, id);
alter table research_reads_read add foreign key (space_id, task_id) references research_pipeline_task (space_id, id);
alter table research_reads_read add foreign key (space_id, unit_id) references research_pipeline_readingunit (space_id, id);
alter table research_reads_readversion add foreign key (space_id, read_id) references research_reads_read (space_id, id);
alter table research_reads_readversion add foreign key (space_id, entry_id) references forms_entry (space_id, id);
alter table research_reads_readversion add foreign key (space_id, signature_id) references trust_signatures_signature (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("research_reads", "0001_tables"),
        ("research_pipeline", "0002_isolation"),
        ("forms", "0002_isolation"),
        ("trust_signatures", "0002_isolation"),
        ("trust_tenancy", "0002_isolation"),
        ("trust_audit", "0002_chain"),
    ]

    operations = [
        *isolate("research_reads_read"),
        *isolate("research_reads_readversion"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
