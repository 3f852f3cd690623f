from django.apps import AppConfig


class TrackingAppConfig(AppConfig):
    name = "parcours.tracking"
    label = "tracking"
