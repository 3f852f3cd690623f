from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsAppConfig(AppConfig):
    name = "parcours.contacts"
    label = "contacts"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from parcours.accounts import jobs
        from parcours.contacts import attribute_changes, bulk, search, signals
        from parcours.contacts.importing import actions as importing
        from parcours.contacts.importing import keeping, previewing, undoing
        from parcours.events import housekeeping
        from parcours.ui.navigation import Item, register

        jobs.register(importing.KIND, importing.run)
        jobs.register(undoing.KIND, undoing.run)
        jobs.register(previewing.KIND, previewing.run)
        housekeeping.register(keeping.forget)
        signals.contacts_erased.connect(keeping.on_erased, dispatch_uid="contacts.importing")
        jobs.register(bulk.KIND, bulk.run)
        jobs.register(attribute_changes.KIND, attribute_changes.run)
        jobs.register(bulk.UNDO, bulk.run_undo)
        post_migrate.connect(search.after_migrate, sender=self, dispatch_uid="contacts.search")
        beside = ("/attributes", "/tags")
        register(Item(label=_("Contacts"), icon="users", url_name="contacts:index", order=20, under=beside))
        register(Item(label=_("Lists"), icon="list-check", url_name="lists:index", order=30))
