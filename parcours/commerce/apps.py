from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommerceAppConfig(AppConfig):
    name = "parcours.commerce"
    label = "commerce"

    def ready(self) -> None:
        from parcours.commerce.deals import erasing
        from parcours.commerce.deals.linking import Deals
        from parcours.commerce.importing import actions as importing
        from parcours.commerce.listening import listener
        from parcours.commerce.models import Pipeline, Product, Stage
        from parcours.commerce.orders import reasons
        from parcours.contacts import naming, panels
        from parcours.contacts.merging import following
        from parcours.contacts.panels import Panel
        from parcours.contacts.signals import contacts_erased, contacts_forgotten
        from parcours.tracking import deals, fanout
        from parcours.ui.navigation import Item, register

        importing.register()
        deals.register(Deals())
        fanout.register(listener)
        naming.register("pipeline", naming.Rows(lambda: Pipeline, key="key"))
        naming.register("stage", naming.Rows(lambda: Stage, key="key", account="pipeline__account_id"))
        naming.register("product", naming.Rows(lambda: Product, key="product_id"))
        contacts_erased.connect(erasing.forget, dispatch_uid="commerce.erasing")
        contacts_erased.connect(reasons.on_erased, dispatch_uid="commerce.reasons")
        contacts_forgotten.connect(reasons.on_forgotten, dispatch_uid="commerce.reasons.late")
        following.register("commerce_order", "contact_id")
        following.register("commerce_dealcontact", "contact_id")
        panels.register(Panel(title=_("Orders"), url_name="orders:of_contact", order=60))
        panels.register(Panel(title=_("Deals"), url_name="deals:of_contact", order=61))
        under = ("/settings/pipelines/",)
        register(Item(label=_("Deals"), icon="target", url_name="deals:board", order=60, under=under))
        register(Item(label=_("Orders"), icon="shopping-cart", url_name="orders:index", order=62))
        register(Item(label=_("Products"), icon="packages", url_name="products:index", order=64))
