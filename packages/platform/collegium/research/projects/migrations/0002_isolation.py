"""Row-level security of projects; published versions are only ever added."""

from django.db import migrations

from collegium.kit.rls import append_only, isolate

KEYS = """
alter table research_projects_projectversion add constraint research_projects_projectversion_in_space unique (space_id, id);
alter table research_projects_site add constraint research_projects_site_in_space unique (space_id, id);
alter table research_projects_subject add constraint research_projects_subject_in_space unique (space_id, id);
alter table research_projects_visit add constraint research_projects_visit_in_space unique (space_id, id);
alter table research_projects_projectversion add foreign key (space_id, signature_id) references trust_signatures_signature (space_id, id);
alter table research_projects_subject add foreign key (space_id, site_id) references research_projects_site (space_id, id);
alter table research_projects_visit add foreign key (space_id, subject_id) references research_projects_subject (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("research_projects", "0001_tables"),
        ("trust_signatures", "0002_isolation"),
        ("trust_tenancy", "0002_isolation"),
        ("trust_audit", "0002_chain"),
    ]

    operations = [
        *isolate("research_projects_projectversion"),
        *append_only("research_projects_projectversion"),
        *isolate("research_projects_site"),
        *isolate("research_projects_subject"),
        *isolate("research_projects_visit"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
