"""The same code with the same token again is the same enrolment: its answer was lost on the way."""

from django.db import migrations

# A gateway that makes its own token may ask again while the code lives. Whoever else comes with the used code
# is refused, and so is a gateway that was shut out, whatever it holds. A token is never two gateways'.
REDEEM = """
create or replace function imaging_redeem_code(code bytea, token bytea, told_software text)
  returns table (outcome text, gateway uuid, space uuid) language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  entry imaging_connections_enrolmentcode%rowtype;
  known imaging_connections_gateway%rowtype;
begin
  select * into entry from imaging_connections_enrolmentcode c where c.digest = code for update;
  if not found or entry.expires_at <= now() then
    return query select 'unknown'::text, null::uuid, null::uuid;
    return;
  end if;
  select * into known from imaging_connections_gateway g where g.id = entry.gateway_id for update;
  if known.revoked_at is not null then
    return query select 'unknown'::text, null::uuid, null::uuid;
  elsif entry.used_at is not null and known.token_digest is distinct from token then
    return query select 'used'::text, null::uuid, null::uuid;
  elsif exists (select 1 from imaging_connections_gateway g where g.token_digest = token and g.id <> known.id) then
    return query select 'unknown'::text, null::uuid, null::uuid;
  else
    if entry.used_at is null then
      update imaging_connections_enrolmentcode c set used_at = now() where c.id = entry.id;
      update imaging_connections_gateway g set token_digest = token, enrolled_at = now(), software = told_software
        where g.id = known.id;
    end if;
    return query select 'enrolled'::text, known.id, entry.space_id;
  end if;
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("imaging_connections", "0004_told_isolation")]

    operations = [migrations.RunSQL(REDEEM, migrations.RunSQL.noop)]
