"""What a release gave a role stays known, so that the next release can add to it and leave a space's own alone."""

import django.contrib.postgres.fields
from django.db import migrations, models

NAMES = (
    "'Administrator', 'Editor', 'Viewer', 'Reader', 'Adjudicator', 'Data manager', 'Site user', 'Monitor', "
    "'Sponsor viewer', 'Gateway'"
)
# Nobody could change a role so far, so what it has is what its release gave it.
KNOWN = f"update trust_tenancy_role set seeded = permissions where name in ({NAMES})"  # noqa: S608  a constant
FOUND = """
create or replace function trust_found_space(space uuid, organisation uuid, space_kind text, space_name text,
                                  founder text, founder_role text, roles jsonb) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if not trust_may_found(organisation) then
    raise exception 'not an officer of this organisation' using errcode = 'insufficient_privilege';
  end if;
  insert into trust_tenancy_space (id, organisation_id, kind, name, created_at)
    values (space, organisation, space_kind, space_name, now());
  insert into trust_tenancy_role (id, space_id, name, permissions, seeded)
    select uuidv7(), space, r.key, array(select jsonb_array_elements_text(r.value)),
           array(select jsonb_array_elements_text(r.value)) from jsonb_each(roles) r;
  insert into trust_tenancy_membership (id, space_id, principal, role_id, since)
    select uuidv7(), space, founder, r.id, now() from trust_tenancy_role r
    where r.space_id = space and r.name = founder_role;
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("trust_tenancy", "0002_isolation")]

    operations = [
        migrations.AddField(
            model_name="role",
            name="seeded",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=80),
                help_text="What a release gave it; empty: the space made the role itself.",
                null=True,
                size=None,
            ),
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(FOUND, migrations.RunSQL.noop),
    ]
