from django.apps import AppConfig


class JourneysAppConfig(AppConfig):
    name = "parcours.journeys"
    label = "journeys"
