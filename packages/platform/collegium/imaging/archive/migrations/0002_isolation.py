"""Row-level security; a shared exam opens its series, instances and documents, never its blobs' rows."""

from django.db import migrations

from collegium.kit.rls import isolate

KEYS = """
alter table imaging_archive_blob add constraint blob_in_space unique (space_id, id);
alter table imaging_archive_exam add constraint exam_in_space unique (space_id, id);
alter table imaging_archive_series add constraint series_in_space unique (space_id, id);
alter table imaging_archive_instance add constraint instance_in_space unique (space_id, id);
alter table imaging_archive_series add foreign key (space_id, exam_id) references imaging_archive_exam (space_id, id);
alter table imaging_archive_instance add foreign key (space_id, exam_id) references imaging_archive_exam (space_id, id);
alter table imaging_archive_instance add foreign key (space_id, series_id)
  references imaging_archive_series (space_id, id);
alter table imaging_archive_instance add foreign key (space_id, blob_id) references imaging_archive_blob (space_id, id);
alter table imaging_archive_seriesdocument add foreign key (space_id, series_id)
  references imaging_archive_series (space_id, id);
"""

# Metadata of a series is written once for each revision.
FIXED = """
create trigger imaging_archive_document_keep before update on imaging_archive_seriesdocument
  for each row execute function trust_append_only();
alter table imaging_archive_instance alter column frame_table set storage external;
"""

# The orphan sweep asks for all spaces at once; it learns of a blob whether it has a row, no more.
ORPHANS = """
alter table imaging_archive_blob no force row level security;
create function imaging_blob_exists(blob uuid) returns boolean stable language sql
  security definer set search_path = public, pg_temp as $$
  select exists (select 1 from imaging_archive_blob b where b.id = blob)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("imaging_archive", "0001_tables"), ("trust_tenancy", "0002_isolation")]

    operations = [
        *isolate("imaging_archive_blob"),
        *isolate("imaging_archive_exam", shared_kind="imaging.exam"),
        *isolate("imaging_archive_series", shared_kind="imaging.exam", shared_column="exam_id"),
        *isolate("imaging_archive_instance", shared_kind="imaging.exam", shared_column="exam_id"),
        *isolate("imaging_archive_seriesdocument", shared_kind="imaging.exam", shared_column="exam_id"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RunSQL(FIXED, migrations.RunSQL.noop),
        migrations.RunSQL(ORPHANS, migrations.RunSQL.noop),
    ]
