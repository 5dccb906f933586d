from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "collegium.trust.identity"
    label = "trust_identity"
