"""Row-level security: anyone of a space may add a row, only the person it is for ever sees or changes it.

`notifications_waiting` runs as the owner, who is not subject to these policies (hence no FORCE): the job that sends
e-mail learns from it whom to look at, and then reads as that person.
"""

from django.db import migrations

POLICIES = """
create function trust_person() returns uuid stable language sql as $$
  select case when trust_principal() like 'person:%' then substring(trust_principal() from 8)::uuid end
$$;
alter table notifications_notification enable row level security;
create policy notification_see on notifications_notification for select
  using (person = trust_person() and space_id = any((select trust_spaces())::uuid[]));
create policy notification_add on notifications_notification for insert
  with check (space_id = any((select trust_spaces())::uuid[]));
create policy notification_change on notifications_notification for update
  using (person = trust_person() and space_id = any((select trust_spaces())::uuid[]))
  with check (person = trust_person() and space_id = any((select trust_spaces())::uuid[]));
alter table notifications_mailchoice enable row level security;
create policy mailchoice_all on notifications_mailchoice using (person = trust_person());
revoke delete, truncate on notifications_notification, notifications_mailchoice from collegium_app;
"""

WAITING = """
create function notifications_waiting(told_before timestamptz, told_after timestamptz)
  returns setof uuid stable language sql security definer set search_path = public, pg_temp as $$
  select n.person from notifications_notification n
  where n.seen_at is null and n.mailed_at is null and n.created_at > told_after
    and not exists (select 1 from notifications_mailchoice c where c.person = n.person and not c.wants_mail)
  group by n.person having min(n.created_at) < told_before
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_tables"), ("trust_tenancy", "0002_isolation")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (POLICIES, WAITING)]
