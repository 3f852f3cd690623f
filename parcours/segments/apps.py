from django.apps import AppConfig


class SegmentsAppConfig(AppConfig):
    name = "parcours.segments"
    label = "segments"
