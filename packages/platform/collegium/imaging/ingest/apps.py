from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "collegium.imaging.ingest"
    label = "imaging_ingest"
