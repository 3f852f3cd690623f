from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JourneysAppConfig(AppConfig):
    name = "parcours.journeys"
    label = "journeys"

    def ready(self) -> None:
        from parcours.contacts.signals import contacts_erased
        from parcours.journeys import erasure, gate
        from parcours.journeys.fanout import JourneyListener
        from parcours.messaging import gates
        from parcours.tracking import fanout
        from parcours.ui import navigation

        fanout.register(JourneyListener())
        gates.register(gate.held)
        contacts_erased.connect(erasure.forget, dispatch_uid="journeys.erasure")
        navigation.register(
            navigation.Item(
                label=_("Marketing automation"),
                icon="route",
                url_name="journeys:list",
                order=10,
                under=("/journeys",),
            )
        )
