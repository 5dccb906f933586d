from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "collegium.trust.audit"
    label = "trust_audit"
