from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingAppConfig(AppConfig):
    name = "parcours.messaging"
    label = "messaging"

    def ready(self) -> None:
        from parcours.contacts import naming
        from parcours.contacts import uses as contacts_uses
        from parcours.contacts.merging import following
        from parcours.contacts.signals import contacts_erased
        from parcours.messaging import subscription, uses
        from parcours.messaging.arrivals import ArrivalListener
        from parcours.messaging.models import Message
        from parcours.tracking import fanout
        from parcours.ui.navigation import Item, register

        contacts_erased.connect(subscription.forget, dispatch_uid="messaging.forget")
        following.register("messaging_send", "contact_id", only="status IN ('queued', 'deferred', 'claimed')")
        following.register("messaging_suppression", "contact_id")
        fanout.register(ArrivalListener())
        naming.register("message", naming.Rows(lambda: Message, page="messages:edit"))
        contacts_uses.register(uses.users)
        register(Item(_("Messages"), "mail", "messages:index", 50))
        register(Item(_("Suppressions"), "ban", "suppressions:index", 55))
