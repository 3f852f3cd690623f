from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsAppConfig(AppConfig):
    name = "parcours.accounts"
    label = "accounts"

    def ready(self) -> None:
        from allauth.mfa import signals

        from parcours.accounts import second_factor, switcher
        from parcours.ui import navigation

        navigation.register(
            navigation.Item(
                label=_("Settings"),
                icon="settings",
                url_name="settings:account",
                order=900,
                section="settings",
                under=("/settings/",),
            )
        )
        navigation.register_accounts(switcher.choices)
        for changed in (
            signals.authenticator_added,
            signals.authenticator_removed,
            signals.authenticator_reset,
        ):
            changed.connect(second_factor.changed, dispatch_uid="parcours.accounts")
