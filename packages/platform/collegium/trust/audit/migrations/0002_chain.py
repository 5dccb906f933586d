"""The chain in the database: append-only tables, links written by a deferred trigger at commit."""

from django.db import migrations

APPEND_ONLY = """
create function trust_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are only ever added', tg_table_name using errcode = 'insufficient_privilege';
end $$;
"""

# The time is the database's; one transaction writes one chain (two would lock two heads in any order).
ENTRY = """
create function trust_audit_entry() returns trigger language plpgsql as $$
declare held text := coalesce(current_setting('app.chain', true), '');
begin
  if held not in ('', new.chain) then
    raise exception 'one transaction writes one audit chain: % and %', held, new.chain;
  end if;
  perform set_config('app.chain', new.chain, true);
  new.at := clock_timestamp();
  return new;
end $$;
create trigger trust_audit_entry before insert on trust_audit_auditentry
  for each row execute function trust_audit_entry();
"""

# Runs at commit, so the head is locked for the commit alone. The hashed text never changes its form.
LINK = """
create function trust_audit_link() returns trigger language plpgsql
  security definer set search_path = public, pg_temp set timezone = 'UTC' as $$
declare
  head trust_audit_audithead%rowtype;
  digest bytea;
begin
  insert into trust_audit_audithead (chain, seq, hash)
    values (new.chain, 0, decode(repeat('00', 32), 'hex')) on conflict (chain) do nothing;
  select * into head from trust_audit_audithead where chain = new.chain for update;
  digest := sha256(head.hash || convert_to(concat_ws(E'\\n', 'collegium-audit-1', new.chain,
    (head.seq + 1)::text, new.id::text, to_char(new.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), new.body), 'UTF8'));
  insert into trust_audit_auditlink (chain, seq, entry_id, prev, hash)
    values (new.chain, head.seq + 1, new.id, head.hash, digest);
  update trust_audit_audithead set seq = head.seq + 1, hash = digest where chain = new.chain;
  return null;
end $$;
create constraint trigger trust_audit_link after insert on trust_audit_auditentry
  deferrable initially deferred for each row execute function trust_audit_link();
"""

RIGHTS = """
create trigger trust_audit_entry_keep before update or delete on trust_audit_auditentry
  for each row execute function trust_append_only();
create trigger trust_audit_entry_keep_all before truncate on trust_audit_auditentry
  for each statement execute function trust_append_only();
create trigger trust_audit_link_keep before update or delete on trust_audit_auditlink
  for each row execute function trust_append_only();
create trigger trust_audit_link_keep_all before truncate on trust_audit_auditlink
  for each statement execute function trust_append_only();
revoke update, delete, truncate on trust_audit_auditentry from collegium_app;
revoke insert, update, delete, truncate on trust_audit_auditlink from collegium_app;
revoke insert, update, delete, truncate on trust_audit_audithead from collegium_app;
"""

# Sealing looks at all chains as the app role: it learns their names, sizes and hashes, never an entry.
SEAL = """
create function trust_audit_chains() returns table (chain text, size bigint) stable language sql
  security definer set search_path = public, pg_temp as $$
  select h.chain, h.seq from trust_audit_audithead h order by h.chain
$$;
create function trust_audit_hashes(of_chain text) returns table (hash bytea) stable language sql
  security definer set search_path = public, pg_temp as $$
  select l.hash from trust_audit_auditlink l where l.chain = of_chain order by l.seq
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("trust_audit", "0001_tables")]

    operations = [
        migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (APPEND_ONLY, ENTRY, LINK, RIGHTS, SEAL)
    ]
