"""Row-level security of view grants."""

from django.db import migrations

from collegium.kit.rls import isolate

KEYS = """
alter table imaging_grants_viewgrant add constraint grant_in_space unique (space_id, id);
alter table imaging_grants_grantedseries add foreign key (space_id, grant_id)
  references imaging_grants_viewgrant (space_id, id);
alter table imaging_grants_grantedseries add foreign key (space_id, series_id)
  references imaging_archive_series (space_id, id);
"""

# A changed grant is a new grant: only its end may be written later.
FIXED = """
create function imaging_grant_fixed() returns trigger language plpgsql as $$
begin
  if (to_jsonb(new) - 'revoked_at') is distinct from (to_jsonb(old) - 'revoked_at') or old.revoked_at is not null then
    raise exception 'a view grant is not changed, only revoked' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger imaging_grant_fixed before update on imaging_grants_viewgrant
  for each row execute function imaging_grant_fixed();
create trigger imaging_granted_keep before update on imaging_grants_grantedseries
  for each row execute function trust_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("imaging_grants", "0001_tables"), ("imaging_archive", "0002_isolation")]

    operations = [
        *isolate("imaging_grants_viewgrant"),
        *isolate("imaging_grants_grantedseries"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RunSQL(FIXED, migrations.RunSQL.noop),
    ]
