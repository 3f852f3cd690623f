from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JourneysAppConfig(AppConfig):
    name = "parcours.journeys"
    label = "journeys"

    def ready(self) -> None:
        from parcours.contacts import naming as contacts_naming
        from parcours.contacts import panels, uses
        from parcours.contacts.signals import (
            contacts_erased,
            contacts_merged,
            contacts_merging,
            contacts_unmerged,
        )
        from parcours.journeys import erasure, gate, merging, naming, of_contact, segment_uses
        from parcours.journeys.fanout import JourneyListener
        from parcours.journeys.models import Journey
        from parcours.messaging import gates
        from parcours.segments import names as segment_names
        from parcours.tracking import fanout
        from parcours.ui import navigation

        fanout.register(JourneyListener())
        gates.register(gate.held)
        segment_names.register_journeys(naming.step_ids)
        segment_names.register_use(segment_uses.uses)
        contacts_naming.register("journey", contacts_naming.Rows(lambda: Journey, page="reports:journey"))
        contacts_naming.register("step", naming.StepNames())
        uses.register(of_contact.users)
        panels.register(panels.Panel(_("Journeys"), "journeys:of_contact", order=40))
        contacts_erased.connect(erasure.forget, dispatch_uid="journeys.erasure")
        contacts_merging.connect(merging.let_go, dispatch_uid="journeys.merging")
        contacts_merged.connect(merging.follow, dispatch_uid="journeys.merged")
        contacts_unmerged.connect(merging.go_back, dispatch_uid="journeys.unmerged")
        navigation.register(
            navigation.Item(
                label=_("Marketing automation"),
                icon="route",
                url_name="journeys:list",
                order=10,
                under=("/journeys",),
            )
        )
