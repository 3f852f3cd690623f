from django.apps import AppConfig


class CriteriaAppConfig(AppConfig):
    name = "parcours.criteria"
    label = "criteria"
