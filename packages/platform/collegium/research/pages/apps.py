from django.apps import AppConfig


class ResearchPagesConfig(AppConfig):
    name = "collegium.research.pages"
    label = "research_pages"
