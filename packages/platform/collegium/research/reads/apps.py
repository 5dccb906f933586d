from django.apps import AppConfig


class ResearchReadsConfig(AppConfig):
    name = "collegium.research.reads"
    label = "research_reads"
