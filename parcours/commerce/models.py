"""What is bought and what is being sold: orders, products, pipelines and deals."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parcours.accounts.models import Account
from parcours.commerce.amounts import AmountField
from parcours.contacts.models import Contact
from parcours.lib import clock
from parcours.lib.instants import InstantField


class Order(models.Model):
    """An order as the last word on it says; what was given back or cancelled is in its changes.

    Kept from the events of orders (`commerce/orders/folding.py`), whatever door they came by.
    """

    class Status(models.TextChoices):
        PLACED = "placed", pgettext_lazy("order", "Placed")
        PARTIALLY_REFUNDED = "partially_refunded", pgettext_lazy("order", "Partly refunded")
        REFUNDED = "refunded", pgettext_lazy("order", "Refunded")
        CANCELLED = "cancelled", pgettext_lazy("order", "Cancelled")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="orders")
    order_id = models.CharField(max_length=255, help_text="The shop's own; one order for each.")
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.SET_NULL, related_name="orders", help_text="Null: a visitor."
    )
    visitor = models.CharField(max_length=32, blank=True)
    placed_at = InstantField()
    currency = models.CharField(max_length=12)
    subtotal = AmountField(null=True)
    revenue = AmountField(null=True)
    tax = AmountField(null=True)
    shipping = AmountField(null=True)
    discount = AmountField(null=True)
    total = AmountField(null=True)
    value = AmountField(null=True)
    amount = AmountField(default=Decimal(0), help_text="Before tax and shipping: what reports sum.")
    refunded = AmountField(default=Decimal(0), help_text="Never more than the amount.")
    cancelled_at = InstantField(null=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PLACED)
    products = models.JSONField(default=list, help_text="[{product_id, name, price, quantity, …}]")
    load = models.BigIntegerField(default=0, help_text="The load of the last word; 0: not digested yet.")
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "order_id"], name="order_once")]
        indexes = [
            models.Index(fields=["account", "-placed_at", "-id"], name="order_newest"),
            models.Index(
                fields=["account", "visitor"], name="order_visitor", condition=~models.Q(visitor="")
            ),
        ]

    def __str__(self) -> str:
        return self.order_id

    @property
    def net(self) -> Decimal:
        """What is left of the amount; nothing of a cancelled order's."""
        return Decimal(0) if self.cancelled_at is not None else self.amount - self.refunded


class OrderChange(models.Model):
    """A refund or a cancellation, perhaps of an order that is still to come: `order_id` is the shop's."""

    class Kind(models.TextChoices):
        REFUND = "refund", _("Refund")
        CANCEL = "cancel", _("Cancellation")

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    order_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    message_id = models.CharField(max_length=255)
    amount = AmountField(null=True, help_text="Null: the whole order.")
    currency = models.CharField(max_length=12, blank=True, help_text="Empty: the order's.")
    reason = models.CharField(max_length=200, blank=True)
    at = InstantField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "message_id"], name="order_change_once")]
        indexes = [models.Index(fields=["account", "order_id"], name="order_changes")]


class Product(models.Model):
    """Something that is sold, as events or people say it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="products")
    product_id = models.CharField(max_length=255, help_text="The shop's own.")
    name = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    image_url = models.CharField(max_length=2000, blank=True)
    category = models.CharField(max_length=255, blank=True)
    price = AmountField(null=True)
    currency = models.CharField(max_length=12, blank=True)
    kept = models.BooleanField(
        default=False, help_text="Described by a person or a program: events fill only what is empty."
    )
    last_seen_at = InstantField(null=True)
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "product_id"], name="product_once")]
        indexes = [models.Index(fields=["account", "-id"], name="product_newest")]

    def __str__(self) -> str:
        return self.name or self.product_id


class Pipeline(models.Model):
    """The stages that deals go through. One made by hand has just the stages that it was given; one that deals brought
    with them grows as they do."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="pipelines")
    key = models.CharField(max_length=100, help_text="What events call it: it stays when the name changes.")
    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField(default=0)
    settled = models.BooleanField(default=False, help_text="Its stages are those that a person gave.")
    created_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="pipeline_key")]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """Where a deal of a pipeline can stand."""

    class Kind(models.TextChoices):
        OPEN = "open", pgettext_lazy("stage", "Open")
        WON = "won", pgettext_lazy("stage", "Won")
        LOST = "lost", pgettext_lazy("stage", "Lost")

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="stages")
    key = models.CharField(max_length=100, help_text="What events call it: it stays when the name changes.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OPEN)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pipeline", "key"], name="stage_key")]

    def __str__(self) -> str:
        return self.name


class Deal(models.Model):
    """A sale in progress."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="deals")
    external_id = models.CharField(max_length=255, null=True)
    name = models.CharField(max_length=300)
    pipeline = models.ForeignKey(Pipeline, null=True, on_delete=models.PROTECT, related_name="deals")
    stage = models.ForeignKey(Stage, null=True, on_delete=models.PROTECT, related_name="deals")
    stage_at = InstantField(default=clock.now, help_text="When it entered its stage.")
    amount = AmountField(null=True)
    currency = models.CharField(max_length=3)
    close_date = models.DateField(null=True)
    owner = models.CharField(max_length=320, blank=True, help_text="Who is in charge of it.")
    closed_at = InstantField(null=True, help_text="When it was won or lost.")
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "external_id"], name="deal_external_id")]
        indexes = [
            models.Index(fields=["account", "-id"], name="deal_newest"),
            models.Index(fields=["stage", "-stage_at", "-id"], name="deal_column"),
        ]

    def __str__(self) -> str:
        return self.name


class DealContact(models.Model):
    """A contact tied to a deal from an instant (in) to another (out; null: still).

    Two who are tied to one deal may be merged into one: a contact may then be tied to it twice, and counts once.
    """

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="ties")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="deal_ties")
    since = InstantField(default=clock.now)
    until = InstantField(null=True)
