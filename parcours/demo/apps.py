from django.apps import AppConfig


class DemoAppConfig(AppConfig):
    name = "parcours.demo"
    label = "demo"
