from django.apps import AppConfig


class ConfigAppConfig(AppConfig):
    name = "parcours.config"
    label = "config"
