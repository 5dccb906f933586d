"""Row-level security of marks; revisions are only ever added."""

from django.db import migrations

from collegium.kit.rls import append_only, isolate

KEYS = """
alter table imaging_marks_mark add constraint mark_in_space unique (space_id, id);
alter table imaging_marks_markrevision add foreign key (space_id, mark_id) references imaging_marks_mark (space_id, id);
alter table imaging_marks_markrevision add foreign key (space_id, instance_id)
  references imaging_archive_instance (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [("imaging_marks", "0001_tables"), ("imaging_archive", "0002_isolation")]

    operations = [
        *isolate("imaging_marks_mark"),
        *isolate("imaging_marks_markrevision"),
        *append_only("imaging_marks_markrevision"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
