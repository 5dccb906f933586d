from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "collegium.imaging.archive"
    label = "imaging_archive"
