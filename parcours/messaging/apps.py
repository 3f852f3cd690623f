from django.apps import AppConfig


class MessagingAppConfig(AppConfig):
    name = "parcours.messaging"
    label = "messaging"

    def ready(self) -> None:
        from parcours.contacts.signals import contacts_erased
        from parcours.messaging import subscription

        contacts_erased.connect(subscription.forget, dispatch_uid="messaging.forget")
