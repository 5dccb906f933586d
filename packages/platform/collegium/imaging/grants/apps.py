from django.apps import AppConfig


class GrantsConfig(AppConfig):
    name = "collegium.imaging.grants"
    label = "imaging_grants"
