from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MergingAppConfig(AppConfig):
    name = "parcours.contacts.merging"
    label = "merging"

    def ready(self) -> None:
        from parcours.accounts import jobs
        from parcours.contacts import panels
        from parcours.contacts.merging import erased, following, pairs, people
        from parcours.events import housekeeping
        from parcours.events.store import queries

        queries.ask_merged(people.ever_merged)
        housekeeping.register(erased.forget)
        jobs.register(pairs.SEARCH, pairs.search)
        jobs.register(pairs.MERGE, pairs.merge_certain)
        panels.register(panels.Panel(_("Merges"), "merging:panel", order=90))
        following.register("contacts_consentchange", "contact_id")
