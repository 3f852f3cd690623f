from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingAppConfig(AppConfig):
    name = "parcours.messaging"
    label = "messaging"

    def ready(self) -> None:
        from parcours.contacts.signals import contacts_erased
        from parcours.messaging import subscription
        from parcours.ui.navigation import Item, register

        contacts_erased.connect(subscription.forget, dispatch_uid="messaging.forget")
        register(Item(_("Messages"), "mail", "messages:index", 50))
