"""Open pixel, click redirect, unsubscribe page: signed addresses, no cookie, no session.

They are Django views beside the collector, and write to the state database: a busy database makes the reader wait,
never fail, and what could not be written after all never keeps a reader from where a link leads.
"""

from __future__ import annotations

import base64

import structlog
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from parcours.lib import clock, signing
from parcours.messaging import arrivals, subscription, touches
from parcours.messaging.models import Link, Send
from parcours.messaging.rendering import tokens
from parcours.messaging.rendering.compiled import is_dynamic
from parcours.messaging.rendering.tokens import BadToken

log = structlog.get_logger(__name__)

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class _Redirect(HttpResponseRedirect):
    allowed_schemes = ["http", "https"]


def _agent(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "").replace("\x00", "")


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _not_valid(request: HttpRequest) -> HttpResponse:
    return _unkept(render(request, "messaging/public/not_valid.html", status=404))


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The open pixel. The picture comes whatever happens; a forged token records nothing."""
    try:
        (send_id,) = signing.unsign("o", token, count=1)
    except BadToken:
        return _unkept(HttpResponse(_GIF, content_type="image/gif", status=404))
    send = Send.objects.filter(pk=send_id).first()
    if send is not None and request.method == "GET":
        try:
            touches.record_open(send, agent=_agent(request), address=_address(request), now=clock.now())
        except OperationalError:
            log.exception("an open could not be recorded", send=send_id)
    return _unkept(HttpResponse(_GIF, content_type="image/gif"))


@require_safe
def clicked(request: HttpRequest, token: str) -> HttpResponse:
    """The click redirect: to nowhere that the account did not write in the message."""
    address = request.GET.get("u")
    try:
        send_id, link_id = tokens.read_click(token, address)
    except BadToken:
        return _not_valid(request)
    link = Link.objects.filter(pk=link_id).first()
    if link is None or (address is None and is_dynamic(link.url)):
        return _not_valid(request)
    target = link.url if address is None else address
    send = Send.objects.filter(pk=send_id, message_id=link.message_id).first()
    leads_to = target
    if send is not None:
        now = clock.now()
        try:
            click = touches.record_click(
                send,
                link,
                target=target,
                agent=_agent(request),
                address=_address(request),
                probe=request.method == "HEAD",
                now=now,
            )
            if click is not None:
                leads_to = arrivals.lead(target, send, click=click, now=now)
        except OperationalError:
            log.exception("a click could not be recorded", send=send_id)
    return _unkept(_Redirect(leads_to))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The unsubscribe page. GET and HEAD show it and change nothing; POST unsubscribes, from the page or by RFC 8058.

    Mail providers POST `List-Unsubscribe=One-Click`, urlencoded or multipart, without cookie or token: the signed
    address is the authority. Again, or after the contact's erasure, the answer is the same. No redirect.
    """
    try:
        (send_id,) = signing.unsign("u", token, count=1)
    except BadToken:
        return _not_valid(request)
    send = Send.objects.select_related("account", "message").filter(pk=send_id).first()
    if request.method != "POST":
        found = {"account": send.account if send else None}
        return _unkept(render(request, "messaging/public/unsubscribe.html", found))
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    if send is not None:
        subscription.unsubscribe(
            send, source="one_click" if one_click else "unsubscribe_page", now=clock.now()
        )
    if one_click:
        return _unkept(HttpResponse(_("You are unsubscribed."), content_type="text/plain; charset=utf-8"))
    return _unkept(
        render(request, "messaging/public/unsubscribed.html", {"account": send.account if send else None})
    )
