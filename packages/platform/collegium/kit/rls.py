"""Row-level security for content tables: the base model and the migration step.

The policy: a row is visible where its space is one of the acting principal's
(`trust_spaces()`, evaluated once a statement), or where it is shared with it
(`trust_shared(kind)`); it can be written only in the principal's own spaces.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Func

from collegium.kit import ids


class UUIDv7(Func):
    """PostgreSQL 18's `uuidv7()` as a column default."""

    function = "uuidv7"
    template = "%(function)s()"
    output_field = models.UUIDField()


class Row(models.Model):
    """A row with a UUID version 7 as key."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False, db_default=UUIDv7())

    class Meta:
        abstract = True


class SpaceRow(Row):
    """A row that holds content of one space; its table is isolated by `isolate`."""

    space_id = models.UUIDField(db_index=True, editable=False)

    class Meta:
        abstract = True


def isolate(table: str, *, shared_kind: str = "", shared_column: str = "id") -> list[migrations.RunSQL]:
    """Migration steps that put `table` under the standard policy, for its owner too.

    Args:
        table: a table with a `space_id` column.
        shared_kind: kind of `Share` that opens its rows to others, e.g. "imaging.exam".
        shared_column: the column that holds the shared object's id.
    """
    shared = (
        f" or {shared_column} = any((select trust_shared('{shared_kind}'))::uuid[])" if shared_kind else ""
    )
    own = "space_id = any((select trust_spaces())::uuid[])"
    return [
        migrations.RunSQL(
            sql=[
                f"alter table {table} enable row level security",
                f"alter table {table} force row level security",
                f"create policy {table}_see on {table} for select using ({own}{shared})",
                f"create policy {table}_add on {table} for insert with check ({own})",
                f"create policy {table}_change on {table} for update using ({own}) with check ({own})",
                f"create policy {table}_remove on {table} for delete using ({own})",
            ],
            reverse_sql=migrations.RunSQL.noop,
        )
    ]


def append_only(table: str) -> list[migrations.RunSQL]:
    """Migration steps that let rows of `table` be added and read, never changed or removed."""
    return [
        migrations.RunSQL(
            sql=[
                (
                    f"create trigger {table}_keep before update or delete on {table} "
                    "for each row execute function trust_append_only()"
                ),
                (
                    f"create trigger {table}_keep_all before truncate on {table} "
                    "for each statement execute function trust_append_only()"
                ),
                f"revoke update, delete, truncate on {table} from collegium_app",
            ],
            reverse_sql=migrations.RunSQL.noop,
        )
    ]
