from django.apps import AppConfig


class ResearchProjectsConfig(AppConfig):
    name = "collegium.research.projects"
    label = "research_projects"
