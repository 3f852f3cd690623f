"""What an order's page shows of reports: the message that it is credited to."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parcours.accounts.access import PageRequest, find, page
from parcours.commerce.models import Order
from parcours.events import watermark
from parcours.events.store import queries
from parcours.lib.instants import from_ms
from parcours.messaging.models import Message
from parcours.reports import messages


@require_safe
@page
def attribution(request: PageRequest, order_id: str) -> HttpResponse:
    """A part of an order's page: the message whose click, or open, it is credited to."""
    account = request.actor.account
    order = find(Order, order_id, actor=request.actor)
    mark = watermark.asked(account.pk, None)
    scope = messages.Scope(account.pk, [], currency=account.currency, window=account.attribution_days)
    found = queries.run("order_attribution", {**scope.parameters(mark), "order": order.order_id})
    message = Message.objects.filter(account=account, pk=found[0]["message"]).first() if found else None
    context = {
        "order": order,
        "credited": bool(found),
        "message": message,
        "clicked": bool(found and found[0]["clicked"]),
        "at": from_ms(found[0]["at_ms"]) if found else None,
        "window": account.attribution_days,
        "as_of": mark.as_of,
    }
    return render(request, "reports/order.html", context)
