"""What waited and was done, by whomever: its notifications are marked, so that nobody is sent after it.

Only its person may change a notification. `notifications_withdraw` runs as the owner, within the spaces of whoever
calls it, and can do this one thing: mark as done what was told about one thing. It returns whom it was told to.
"""

from django.db import migrations, models

WITHDRAW = """
create function notifications_withdraw(space uuid, thing uuid, kinds text[], told uuid)
  returns setof uuid language sql security definer set search_path = public, pg_temp as $$
  update notifications_notification n set done_at = now(), seen_at = coalesce(n.seen_at, now())
  where n.about = thing and n.done_at is null and n.kind = any(kinds) and (told is null or n.person = told)
    and n.space_id = space and space = any((select trust_spaces())::uuid[])
  returning n.person
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_isolation")]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="about",
            field=models.UUIDField(editable=False, help_text="Random id of what waits.", null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="done_at",
            field=models.DateTimeField(help_text="When it waited no more.", null=True),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("done_at", None)), fields=["about"], name="notification_about"
            ),
        ),
        migrations.RunSQL(WITHDRAW, migrations.RunSQL.noop),
    ]
