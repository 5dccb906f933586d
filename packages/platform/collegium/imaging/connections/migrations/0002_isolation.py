"""Row-level security, and the two questions that are asked before anyone is known."""

from django.db import migrations

from collegium.kit.rls import isolate

# A gateway that shows a code or a token is nobody yet: these functions look for it as the
# owner, so these two tables are not under FORCE. They answer with ids, never with a row.
KNOWN = """
alter table imaging_connections_gateway no force row level security;
alter table imaging_connections_enrolmentcode no force row level security;
create function imaging_redeem_code(code bytea, token bytea, told_software text)
  returns table (outcome text, gateway uuid, space uuid) language plpgsql
  security definer set search_path = public, pg_temp as $$
declare entry imaging_connections_enrolmentcode%rowtype;
begin
  select * into entry from imaging_connections_enrolmentcode c where c.digest = code for update;
  if not found or entry.expires_at <= now() then
    return query select 'unknown'::text, null::uuid, null::uuid;
  elsif entry.used_at is not null then
    return query select 'used'::text, null::uuid, null::uuid;
  else
    update imaging_connections_enrolmentcode c set used_at = now() where c.id = entry.id;
    update imaging_connections_gateway g set token_digest = token, enrolled_at = now(), software = told_software
      where g.id = entry.gateway_id and g.revoked_at is null;
    return query select 'enrolled'::text, entry.gateway_id, entry.space_id;
  end if;
end $$;
create function imaging_gateway_of(token bytea) returns table (gateway uuid, space uuid) stable language sql
  security definer set search_path = public, pg_temp as $$
  select g.id, g.space_id from imaging_connections_gateway g where g.token_digest = token and g.revoked_at is null
$$;
"""

KEYS = """
alter table imaging_connections_gateway add constraint gateway_in_space unique (space_id, id);
alter table imaging_connections_enrolmentcode add foreign key (space_id, gateway_id)
  references imaging_connections_gateway (space_id, id);
alter table imaging_connections_channel add foreign key (space_id, gateway_id)
  references imaging_connections_gateway (space_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0001_tables"), ("trust_tenancy", "0002_isolation")]

    operations = [
        *isolate("imaging_connections_gateway"),
        *isolate("imaging_connections_enrolmentcode"),
        *isolate("imaging_connections_channel"),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
