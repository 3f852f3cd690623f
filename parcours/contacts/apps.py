from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsAppConfig(AppConfig):
    name = "parcours.contacts"
    label = "contacts"

    def ready(self) -> None:
        from parcours.accounts import jobs
        from parcours.contacts.importing import actions as importing
        from parcours.ui.navigation import Item, register

        jobs.register(importing.KIND, importing.run)
        register(Item(label=_("Contacts"), icon="users", url_name="contacts:index", order=20))
        register(Item(label=_("Lists"), icon="list-check", url_name="lists:index", order=30))
