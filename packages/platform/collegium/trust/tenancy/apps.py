from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "collegium.trust.tenancy"
    label = "trust_tenancy"
