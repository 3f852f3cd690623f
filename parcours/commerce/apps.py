from django.apps import AppConfig


class CommerceAppConfig(AppConfig):
    name = "parcours.commerce"
    label = "commerce"
