from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "collegium.kit.pages"
    label = "kit_pages"
