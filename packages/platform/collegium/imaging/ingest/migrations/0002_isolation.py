"""Row-level security of deliveries."""

from django.db import migrations

from collegium.kit.rls import isolate

KEYS = """
alter table imaging_ingest_delivery add constraint delivery_in_space unique (space_id, id);
alter table imaging_ingest_delivery add foreign key (space_id, exam_id) references imaging_archive_exam (space_id, id);
alter table imaging_ingest_deliveryobject add foreign key (space_id, delivery_id)
  references imaging_ingest_delivery (space_id, id);
alter table imaging_ingest_deliveryobject add foreign key (space_id, blob_id)
  references imaging_archive_blob (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [("imaging_ingest", "0001_tables"), ("imaging_archive", "0002_isolation")]

    operations = [
        *isolate("imaging_ingest_delivery"),
        *isolate("imaging_ingest_deliveryobject"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
