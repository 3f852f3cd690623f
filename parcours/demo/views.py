"""The demonstration's own pages: a little shop that carries the tracker, and the mailbox of all its people."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from parcours.demo.state import State
from parcours.lib.instants import from_ms
from parcours.messaging import sink

RECORDS = (
    {"sku": "lp-101", "name": "Soleil d’hiver", "artist": "Les Marées", "price": Decimal("21.90")},
    {"sku": "lp-102", "name": "Night Ferry", "artist": "Anna Holm", "price": Decimal("19.50")},
    {"sku": "lp-103", "name": "Douze cordes", "artist": "Jean Vasseur", "price": Decimal("24.00")},
    {"sku": "lp-104", "name": "Green Rooms", "artist": "The Larches", "price": Decimal("18.90")},
    {"sku": "lp-105", "name": "Petites heures", "artist": "Mireille Daho-Lang", "price": Decimal("22.50")},
    {"sku": "lp-106", "name": "Paper Boats", "artist": "Owen Field", "price": Decimal("17.90")},
    {
        "sku": "lp-107",
        "name": "Rue des Sillons",
        "artist": "Quintette Croix-Rousse",
        "price": Decimal("23.00"),
    },
    {"sku": "lp-108", "name": "Aurora", "artist": "Nils & Ida", "price": Decimal("20.00")},
)
_SHOWN = 100


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """The shop: a page of a customer's site, as far as Parcours is concerned."""
    state = State(settings.DATA_DIR)
    story = state.get("story")
    journey = reverse("reports:journey", args=[story["journeys"]["visitors"]]) if story else ""
    return render(
        request,
        "demo/shop.html",
        {"records": RECORDS, "write_key": state.get("write_key") or "", "journey": journey},
    )


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """Every mail that the sink received, latest first; `to` narrows to an address."""
    wanted = request.GET.get("to", "").strip().lower()
    lines = [
        {
            "id": mail.id,
            "recipient": mail.recipient,
            "received_at": _shown_at(mail),
            "subject": str(mail.message()["Subject"] or ""),
        }
        for mail in sink.latest_mails(recipient=wanted or None, limit=_SHOWN)
    ]
    total = sink.count_mails(recipient=wanted or None)
    return render(request, "demo/mailbox.html", {"lines": lines, "to": wanted, "total": total})


@require_safe
def mail(request: HttpRequest, mail: str) -> HttpResponse:
    """One mail: its headers, and its body in a frame that can do nothing."""
    found = _found(mail)
    message = found.message()
    return render(
        request,
        "demo/mail.html",
        {
            "mail": {"id": found.id, "recipient": found.recipient, "received_at": _shown_at(found)},
            "subject": str(message["Subject"] or ""),
            "sender": str(message["From"] or ""),
        },
    )


@require_safe
@xframe_options_sameorigin
def body(request: HttpRequest, mail: str) -> HttpResponse:
    """The HTML of a mail, shut in: no script runs, nothing is fetched but images."""
    part: Any = _found(mail).message().get_body(preferencelist=("html", "plain"))
    kind = part.get_content_type() if part is not None else "text/plain"
    response = HttpResponse(
        part.get_content() if part is not None else "", content_type=f"{kind}; charset=utf-8"
    )
    response["Content-Security-Policy"] = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src * data:; "
        "style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    return response


def _found(mail: str) -> sink.SunkMail:
    found = sink.read_mail(int(mail)) if mail.isascii() and mail.isdigit() and len(mail) < 19 else None
    if found is None:
        raise Http404
    return found


def _shown_at(mail: sink.SunkMail) -> datetime:
    """The mail's own date, in the product's time; the machine's when it bears none."""
    try:
        return parsedate_to_datetime(str(mail.message()["Date"]))
    except (TypeError, ValueError):
        return from_ms(mail.received_at)
