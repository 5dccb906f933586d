from django.apps import AppConfig


class ResearchPipelineConfig(AppConfig):
    name = "collegium.research.pipeline"
    label = "research_pipeline"
