from django.apps import AppConfig


class ResearchOversightConfig(AppConfig):
    name = "collegium.research.oversight"
    label = "research_oversight"
