"""Row-level security of forms; versions and changes are only ever added."""

from django.db import migrations

from collegium.kit.rls import append_only, isolate

KEYS = """
alter table forms_formversion add constraint forms_formversion_in_space unique (space_id, id);
alter table forms_entry add constraint forms_entry_in_space unique (space_id, id);
alter table forms_entry add foreign key (space_id, form_version_id) references forms_formversion (space_id, id);
alter table forms_entrychange add foreign key (space_id, entry_id) references forms_entry (space_id, id);
"""

# The flush of idle entries asks for all spaces at once; it learns of ids and of who has to act, no more.
IDLE = """
alter table forms_entry no force row level security;
alter table forms_entrychange no force row level security;
create function forms_idle_entries(idle interval, most integer)
  returns table (space uuid, entry uuid, principal text) stable language sql
  security definer set search_path = public, pg_temp as $$
  select e.space_id, e.id, last.principal
  from forms_entry e cross join lateral (
    select regexp_replace(c.principal, '^job:[^|]*\\|', '') as principal, c.at from forms_entrychange c
    where c.space_id = e.space_id and c.entry_id = e.id and c.revision > e.flushed_revision
    order by c.revision desc limit 1) last
  where e.revision > e.flushed_revision and last.at < clock_timestamp() - idle
    and exists (select 1 from trust_tenancy_membership m
      where m.space_id = e.space_id and m.principal = last.principal and m.ended_at is null)
  order by last.at, e.id limit most
$$;
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
        migrations.RunSQL(IDLE, migrations.RunSQL.noop),
    ]
