from django.apps import AppConfig


class EventsAppConfig(AppConfig):
    name = "parcours.events"
    label = "events"
