from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingAppConfig(AppConfig):
    name = "parcours.messaging"
    label = "messaging"

    def ready(self) -> None:
        from parcours.contacts.signals import contacts_erased
        from parcours.messaging import subscription
        from parcours.messaging.arrivals import ArrivalListener
        from parcours.tracking import fanout
        from parcours.ui.navigation import Item, register

        contacts_erased.connect(subscription.forget, dispatch_uid="messaging.forget")
        fanout.register(ArrivalListener())
        register(Item(_("Messages"), "mail", "messages:index", 50))
