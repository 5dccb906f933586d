"""Exams, series and instances as they arrived, under their new identities; their bytes and metadata."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow


class Blob(SpaceRow):
    """Bytes at rest. The id is the last part of the storage key `organisation/space/id`."""

    organisation_id = models.UUIDField(editable=False)
    sha256 = models.CharField(max_length=64, help_text="Of the clear bytes.")
    size_bytes = models.BigIntegerField(help_text="Clear bytes.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = (models.Index(fields=["space_id", "sha256"], name="blob_digest"),)


class Exam(SpaceRow):
    """One DICOM study in one space. Counts and descriptions are computed from its instances."""

    study_uid = models.CharField(max_length=64)
    subject_code = models.CharField(max_length=64)
    description = models.CharField(max_length=200, blank=True)
    modalities = models.CharField(max_length=100, blank=True, help_text="Sorted, joined by a backslash.")
    study_date = models.CharField(max_length=8, blank=True)
    series_count = models.PositiveIntegerField(default=0)
    instance_count = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    channel_id = models.UUIDField(null=True, help_text="The channel it first came by.")
    unmet = ArrayField(
        models.CharField(max_length=300),
        default=list,
        help_text="What its gateway found it to lack of the acquisition requirements, in words.",
    )
    qido_json = models.TextField(help_text="The study's answer to QIDO-RS, ready to send.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "study_uid"], name="exam_once"),)
        indexes = (
            models.Index(fields=["space_id", "-received_at", "-id"], name="exam_newest"),
            models.Index(fields=["space_id", "subject_code"], name="exam_subject"),
            models.Index(fields=["space_id", "study_date"], name="exam_date"),
        )


class Series(SpaceRow):
    """One DICOM series. `revision` grows with every delivery that adds instances."""

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="series")
    series_uid = models.CharField(max_length=64)
    modality = models.CharField(max_length=16)
    number = models.IntegerField(null=True)
    description = models.CharField(max_length=200, blank=True)
    instance_count = models.PositiveIntegerField(default=0)
    revision = models.PositiveIntegerField(default=0)
    qido_json = models.TextField(help_text="The series' answer to QIDO-RS, ready to send.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "series_uid"], name="series_once"),)


class Instance(SpaceRow):
    """One stored object. `frame_table` holds offset and length of every frame as pairs of u64."""

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    since_revision = models.PositiveIntegerField(help_text="The series revision that brought it.")
    sop_instance_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    number = models.IntegerField(null=True)
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    number_of_frames = models.PositiveIntegerField(default=1)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)
    frame_table = models.BinaryField()
    pixel_digest = models.CharField(
        max_length=64, blank=True, help_text="Of the decoded pixels; computed when a conflict asks for it."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "sop_instance_uid"], name="instance_once"),
        )


class SeriesDocument(SpaceRow):
    """The allow-listed metadata of a series at one revision, computed once."""

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT)
    series = models.ForeignKey(Series, on_delete=models.PROTECT)
    revision = models.PositiveIntegerField()
    body = models.BinaryField(help_text="SeriesDocument.pack of archive.document.")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "series", "revision"], name="document_once"),
        )
