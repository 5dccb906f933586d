"""Audit entries and the links that chain them. Rows are only ever added (a trigger and the app role's rights)."""

from __future__ import annotations

from django.db import models

from collegium.kit.rls import Row


class AuditEntry(Row):
    """One act: who, in which role, what, on what, old, new, why. `body` is the text that is hashed."""

    chain = models.CharField(max_length=60)
    space_id = models.UUIDField(null=True, editable=False)
    organisation_id = models.UUIDField(null=True, editable=False)
    at = models.DateTimeField(help_text="The database's clock, set by a trigger.")
    principal = models.CharField(max_length=120)
    action = models.CharField(max_length=80)
    object_kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=80)
    body = models.TextField(help_text="Canonical JSON: sorted keys, no spaces, non-ASCII kept.")

    class Meta:
        indexes = (
            models.Index(fields=["space_id", "object_kind", "object_id", "id"], name="audit_entry_object"),
            models.Index(fields=["chain", "id"], name="audit_entry_chain"),
        )


class AuditLink(models.Model):
    """An entry's place in its chain, written by the database at commit."""

    pk = models.CompositePrimaryKey("chain", "seq")
    chain = models.CharField(max_length=60)
    seq = models.BigIntegerField()
    entry = models.OneToOneField(AuditEntry, on_delete=models.DO_NOTHING, related_name="link")
    prev = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)


class AuditHead(models.Model):
    """The end of each chain; the row that commits wait for. The app role cannot touch it."""

    chain = models.CharField(max_length=60, primary_key=True)
    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)
