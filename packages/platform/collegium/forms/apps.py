from django.apps import AppConfig


class FormsConfig(AppConfig):
    name = "collegium.forms"
    label = "forms"
