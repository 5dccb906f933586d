from django.apps import AppConfig


class MarksConfig(AppConfig):
    name = "collegium.imaging.marks"
    label = "imaging_marks"
