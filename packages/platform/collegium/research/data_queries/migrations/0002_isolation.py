"""Row-level security of data queries; what was said in them is only ever added."""

from django.db import migrations

from collegium.kit.rls import append_only, isolate

KEYS = """
alter table research_data_queries_dataquery add constraint research_data_queries_dataquery_in_space unique (space_id, id);
alter table research_data_queries_dataquery add foreign key (space_id, subject_id) references research_projects_subject (space_id, id);
alter table research_data_queries_dataquery add foreign key (space_id, visit_id) references research_projects_visit (space_id, id);
alter table research_data_queries_dataquery add foreign key (space_id, task_id) references research_pipeline_task (space_id, id);
alter table research_data_queries_querymessage add foreign key (space_id, query_id) references research_data_queries_dataquery (space_id, id);
revoke delete, truncate on research_data_queries_dataquery from collegium_app;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("research_data_queries", "0001_tables"),
        ("research_pipeline", "0002_isolation"),
        ("research_projects", "0003_people"),
        ("trust_tenancy", "0002_isolation"),
        ("trust_audit", "0002_chain"),
    ]

    operations = [
        *isolate("research_data_queries_dataquery"),
        *isolate("research_data_queries_querymessage"),
        *append_only("research_data_queries_querymessage"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
