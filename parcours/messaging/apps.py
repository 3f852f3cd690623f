from django.apps import AppConfig


class MessagingAppConfig(AppConfig):
    name = "parcours.messaging"
    label = "messaging"
