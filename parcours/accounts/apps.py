from django.apps import AppConfig


class AccountsAppConfig(AppConfig):
    name = "parcours.accounts"
    label = "accounts"
