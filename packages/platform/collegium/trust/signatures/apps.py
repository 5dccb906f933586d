from django.apps import AppConfig


class SignaturesConfig(AppConfig):
    name = "collegium.trust.signatures"
    label = "trust_signatures"
