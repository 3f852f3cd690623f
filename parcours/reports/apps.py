from django.apps import AppConfig


class ReportsAppConfig(AppConfig):
    name = "parcours.reports"
    label = "reports"
