from django.apps import AppConfig


class ContactsAppConfig(AppConfig):
    name = "parcours.contacts"
    label = "contacts"
