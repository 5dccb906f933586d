"""Row-level security: which spaces are whose, and the policies of the trust tables.

The functions run as the owner with a pinned search path, so that a policy can ask for
memberships without being subject to one. These tables are not under FORCE for that
reason; the app role is never the owner.
"""

from django.db import migrations

SPACES = """
create function trust_principal() returns text stable language sql as $$
  select regexp_replace(coalesce(current_setting('app.principal', true), ''), '^job:[^|]*\\|', '')
$$;
create function trust_spaces() returns uuid[] stable language sql
  security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(m.space_id), '{}') from trust_tenancy_membership m
  where m.principal = trust_principal() and m.ended_at is null
    and (current_setting('app.spaces', true) = '*'
         or m.space_id::text = any(string_to_array(current_setting('app.spaces', true), ',')))
$$;
create function trust_shared(what text) returns uuid[] stable language sql
  security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(s.object_id), '{}') from trust_tenancy_share s
  where s.kind = what and s.withdrawn_at is null
    and s.starts_at <= now() and (s.ends_at is null or s.ends_at > now())
    and trust_principal() <> ''
    and ((s."to" in ('principal', 'link') and s.grantee = trust_principal())
         or (s."to" = 'space' and s.grantee = any(array(select unnest(trust_spaces())::text))))
$$;
"""

# A space is nobody's until its founder belongs to it: this makes it, for officers and the console only.
FOUND = """
create function trust_may_found(organisation uuid) returns boolean stable language sql
  security definer set search_path = public, pg_temp as $$
  select trust_principal() like 'system:%' or exists (select 1 from trust_tenancy_officer o
    where o.organisation_id = organisation and o.principal = trust_principal())
$$;
create function trust_found_space(space uuid, organisation uuid, space_kind text, space_name text,
                                  founder text, founder_role text, roles jsonb) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if not trust_may_found(organisation) then
    raise exception 'not an officer of this organisation' using errcode = 'insufficient_privilege';
  end if;
  insert into trust_tenancy_space (id, organisation_id, kind, name, created_at)
    values (space, organisation, space_kind, space_name, now());
  insert into trust_tenancy_role (id, space_id, name, permissions)
    select uuidv7(), space, r.key, array(select jsonb_array_elements_text(r.value)) from jsonb_each(roles) r;
  insert into trust_tenancy_membership (id, space_id, principal, role_id, since)
    select uuidv7(), space, founder, r.id, now() from trust_tenancy_role r
    where r.space_id = space and r.name = founder_role;
end $$;
"""

POLICIES = """
alter table trust_tenancy_space enable row level security;
create policy space_see on trust_tenancy_space for select
  using (id = any((select trust_spaces())::uuid[]));
alter table trust_tenancy_role enable row level security;
create policy role_all on trust_tenancy_role using (space_id = any((select trust_spaces())::uuid[]));
alter table trust_tenancy_membership enable row level security;
create policy membership_all on trust_tenancy_membership using (space_id = any((select trust_spaces())::uuid[]));
alter table trust_tenancy_share enable row level security;
create policy share_all on trust_tenancy_share using (space_id = any((select trust_spaces())::uuid[]));
alter table trust_audit_auditentry enable row level security;
create policy entry_see on trust_audit_auditentry for select
  using (space_id = any((select trust_spaces())::uuid[])
         or (space_id is null and principal = current_setting('app.principal', true)));
create policy entry_add on trust_audit_auditentry for insert
  with check (principal = current_setting('app.principal', true)
              and (space_id is null or space_id = any((select trust_spaces())::uuid[])));
alter table trust_audit_auditlink enable row level security;
create policy link_see on trust_audit_auditlink for select
  using (exists (select 1 from trust_audit_auditentry e where e.id = entry_id));
revoke delete, truncate on trust_tenancy_membership, trust_tenancy_share, trust_tenancy_space,
  trust_tenancy_organisation, trust_tenancy_organisationkey from collegium_app;
revoke insert, update on trust_tenancy_space from collegium_app;
revoke update, delete, truncate on trust_tenancy_organisationkey from collegium_app;
"""


class Migration(migrations.Migration):
    dependencies = [("trust_tenancy", "0001_tables"), ("trust_audit", "0002_chain")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (SPACES, FOUND, POLICIES)]
