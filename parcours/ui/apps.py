from django.apps import AppConfig


class InterfaceAppConfig(AppConfig):
    name = "parcours.ui"
    label = "ui"
