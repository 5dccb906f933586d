"""Row-level security for what gateways tell, and the question of the installation: who is silent."""

from django.db import migrations

from collegium.kit.rls import append_only, isolate

KEYS = """
alter table imaging_connections_channel add constraint channel_in_space unique (space_id, id);
alter table imaging_connections_channelversion add foreign key (space_id, channel_id)
  references imaging_connections_channel (space_id, id);
alter table imaging_connections_gatewayalarm add foreign key (space_id, gateway_id)
  references imaging_connections_gateway (space_id, id);
alter table imaging_connections_gatewayalarm add foreign key (space_id, channel_id)
  references imaging_connections_channel (space_id, id);
alter table imaging_connections_gatewaytrailentry add foreign key (space_id, gateway_id)
  references imaging_connections_gateway (space_id, id);
"""

# The job that looks for silence belongs to no space: it learns ids, and then acts as each gateway in its own space.
SILENT = """
create function imaging_silent_gateways(heard_before timestamptz)
  returns table (gateway uuid, space uuid) stable language sql
  security definer set search_path = public, pg_temp as $$
  select g.id, g.space_id from imaging_connections_gateway g
  where g.revoked_at is null and g.token_digest is not null and g.last_seen_at < heard_before
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("imaging_connections", "0003_told"),
        ("trust_audit", "0002_chain"),
        ("trust_tenancy", "0002_isolation"),
    ]

    operations = [
        *isolate("imaging_connections_channelversion"),
        *isolate("imaging_connections_gatewayalarm"),
        *isolate("imaging_connections_gatewaytrailentry"),
        *append_only("imaging_connections_channelversion"),
        *append_only("imaging_connections_gatewaytrailentry"),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RunSQL(SILENT, migrations.RunSQL.noop),
    ]
