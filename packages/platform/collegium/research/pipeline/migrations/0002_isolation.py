"""Row-level security of placements, reading units and tasks."""

from django.db import migrations

from collegium.kit.rls import isolate

KEYS = """
alter table research_pipeline_readingunit add constraint research_pipeline_readingunit_in_space unique (space_id, id);
alter table research_pipeline_task add constraint research_pipeline_task_in_space unique (space_id, id);
alter table research_pipeline_examplacement add foreign key (space_id, exam_id) references imaging_archive_exam (space_id, id);
alter table research_pipeline_examplacement add foreign key (space_id, subject_id) references research_projects_subject (space_id, id);
alter table research_pipeline_examplacement add foreign key (space_id, visit_id) references research_projects_visit (space_id, id);
alter table research_pipeline_readingunit add foreign key (space_id, project_version_id) references research_projects_projectversion (space_id, id);
alter table research_pipeline_readingunit add foreign key (space_id, subject_id) references research_projects_subject (space_id, id);
alter table research_pipeline_readingunit add foreign key (space_id, visit_id) references research_projects_visit (space_id, id);
alter table research_pipeline_readingunit add foreign key (space_id, exam_id) references imaging_archive_exam (space_id, id);
alter table research_pipeline_task add foreign key (space_id, unit_id) references research_pipeline_readingunit (space_id, id);
alter table research_pipeline_task add foreign key (space_id, project_version_id) references research_projects_projectversion (space_id, id);
alter table research_pipeline_task add foreign key (space_id, entry_id) references forms_entry (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("research_pipeline", "0001_tables"),
        ("forms", "0002_isolation"),
        ("imaging_archive", "0002_isolation"),
        ("research_projects", "0002_isolation"),
        ("trust_tenancy", "0002_isolation"),
        ("trust_audit", "0002_chain"),
    ]

    operations = [
        *isolate("research_pipeline_examplacement"),
        *isolate("research_pipeline_readingunit"),
        *isolate("research_pipeline_task"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
