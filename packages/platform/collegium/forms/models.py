"""Frozen forms, the answers to them, and every change of an answer."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from collegium.forms.definition import FormDefinition
from collegium.kit.rls import SpaceRow


class FormVersion(SpaceRow):
    """A published form. Never changed; the next version is another row."""

    name = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    definition = models.TextField(help_text="FormDefinition.to_json: canonical JSON.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the definition.")
    published_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "name", "version"], name="form_version_once"),
            models.UniqueConstraint(fields=["space_id", "name", "digest"], name="form_digest_once"),
        )

    def parsed(self) -> FormDefinition:
        return FormDefinition.from_json(self.definition)


class Entry(SpaceRow):
    """The answers to one form, as they are now. `owner` is who uses it, opaque here."""

    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT)
    owner = models.CharField(max_length=120)
    revision = models.PositiveIntegerField(default=0, help_text="Grows by one with every saved change.")
    answers = models.JSONField(default=dict, help_text="Answer.to_json by path.")
    flushed_revision = models.PositiveIntegerField(
        default=0, help_text="Changes up to here are in the audit chain, as one digest a flush."
    )
    frozen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "owner"], name="entry_owner_once"),)
        indexes = (
            models.Index(
                fields=["id"],
                condition=models.Q(revision__gt=models.F("flushed_revision")),
                name="entry_unflushed",
            ),
        )


class EntryChange(SpaceRow):
    """One change of one answer: who, when, old, new, by which operation. Only ever added."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT)
    revision = models.PositiveIntegerField(help_text="The entry's revision after the operation.")
    op_id = models.UUIDField()
    item = models.CharField(max_length=120, help_text="The path of the answer: item, or group.row.item.")
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    principal = models.CharField(max_length=120)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "entry", "op_id", "item"], name="entry_change_once"),
        )
        indexes = (models.Index(fields=["space_id", "entry", "revision"], name="entry_change_order"),)
