from django.apps import AppConfig


class ResearchResultsConfig(AppConfig):
    name = "collegium.research.results"
    label = "research_results"
