from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "collegium.imaging.connections"
    label = "imaging_connections"
