from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "collegium.trust.access"
    label = "trust_access"
