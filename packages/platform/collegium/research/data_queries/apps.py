from django.apps import AppConfig


class ResearchDataQueriesConfig(AppConfig):
    name = "collegium.research.data_queries"
    label = "research_data_queries"
