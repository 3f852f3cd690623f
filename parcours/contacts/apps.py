from django.apps import AppConfig


class ContactsAppConfig(AppConfig):
    name = "parcours.contacts"
    label = "contacts"

    def ready(self) -> None:
        from parcours.accounts import jobs
        from parcours.contacts.importing import actions as importing

        jobs.register(importing.KIND, importing.run)
