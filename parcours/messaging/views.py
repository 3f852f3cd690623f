"""The pages of messages: the list, one message with its preview."""

from __future__ import annotations

from django.contrib import messages as notices
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import READ, SEND, WRITE, PageRequest, find, for_account, page
from parcours.contacts import queries as contact_queries
from parcours.contacts.models import Contact
from parcours.lib import clock
from parcours.lib.problems import Fault, Invalid, Problem
from parcours.messaging import actions, addresses, editing, starters
from parcours.messaging.addresses import BadAddress
from parcours.messaging.forms import MessageForm
from parcours.messaging.models import Message
from parcours.messaging.rendering.compiled import PartError

_A_PAGE = 50
#: A preview shows what users wrote: nothing of it runs, in an origin of its own.
_PREVIEW_POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; font-src https:; "
    "frame-ancestors 'self'; sandbox allow-popups"
)


@require_GET
@page(scope=READ)
def index(request: PageRequest) -> HttpResponse:
    """The account's messages."""
    rows = (
        for_account(Message, request.actor)
        .annotate(sent=Count("sends", filter=Q(sends__status="sent", sends__is_test=False)))
        .order_by("-pk")
    )
    listed = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    return render(request, "messaging/index.html", {"listed": listed})


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def create(request: PageRequest) -> HttpResponse:
    """A new message, begun from an example."""
    return _edit(request, starters.welcome(request.actor.account))


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def edit(request: PageRequest, message_id: int) -> HttpResponse:
    """One message: its content, its preview, its actions."""
    return _edit(request, find(Message, message_id, actor=request.actor))


def _edit(request: PageRequest, message: Message) -> HttpResponse:
    if request.method == "POST":
        form = MessageForm(request.POST, account_id=message.account_id)
    else:
        form = MessageForm.of(message)
    if request.method == "POST" and form.is_valid():
        try:
            message = editing.save(form.fill(message), now=clock.now())
        except Invalid as problem:
            form.add_faults(problem)
        else:
            notices.success(request, _("The message is saved."))
            return redirect("messages:edit", message.pk)
    return render(
        request, "messaging/edit.html", {"form": form, "message": message}, status=422 if form.errors else 200
    )


@require_GET
@page(scope=READ)
def preview(request: PageRequest, message_id: int) -> HttpResponse:
    """A message as a contact would read it, for a frame."""
    message = find(Message, message_id, actor=request.actor)
    shown = None
    if wanted := request.GET.get("contact"):
        rows = contact_queries.living(request.actor.account_id)
        contact = find(Contact, wanted, actor=request.actor, rows=rows)
        shown = contact_queries.described([contact.pk])[0]
    try:
        rendered = editing.preview(message, contact=shown)
    except PartError as error:
        return _framed(request, faults=[Fault(pointer=f"/{error.part}", detail=editing.line_text(error))])
    return _framed(request, html=rendered.html, text=rendered.text, subject=rendered.subject)


@require_POST
@page(scope=WRITE)
def try_out(request: PageRequest) -> HttpResponse:
    """A message being written, for the frame beside its form."""
    form = MessageForm(request.POST, account_id=request.actor.account_id)
    if not form.is_valid():
        return _framed(request, faults=[Fault(pointer="", detail=_("The form is not complete."))])
    message = Message(account=request.actor.account)
    try:
        form.fill(message)
        message.name = message.name or "-"
        if faults := editing.faults_of(message):
            raise Invalid(_("The message cannot be shown."), faults)
        rendered = editing.preview(message)
    except Invalid as problem:
        return _framed(request, faults=problem.errors)
    except PartError as error:
        return _framed(request, faults=[Fault(pointer=f"/{error.part}", detail=editing.line_text(error))])
    return _framed(request, html=rendered.html, text=rendered.text, subject=rendered.subject)


def _framed(
    request: PageRequest,
    *,
    html: str | None = None,
    text: str = "",
    subject: str = "",
    faults: list[Fault] | None = None,
) -> HttpResponse:
    if html is not None and not faults:
        response = HttpResponse(html)
    else:
        found = {"text": text, "subject": subject, "faults": faults}
        response = render(request, "messaging/frame.html", found)
    response["Content-Security-Policy"] = _PREVIEW_POLICY
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@page(scope=SEND)
def test(request: PageRequest, message_id: int) -> HttpResponse:
    """Send a test to an address."""
    message = find(Message, message_id, actor=request.actor)
    address = request.POST.get("to", "").strip()
    try:
        addresses.read(address)
    except BadAddress as error:
        notices.error(request, str(error))
    else:
        actions.queue_test(message, address=address, contact_id=0, now=clock.now())
        notices.success(request, _("The test is on its way to %(address)s.") % {"address": address})
    return redirect("messages:edit", message.pk)


@require_POST
@page(scope=WRITE)
def duplicate(request: PageRequest, message_id: int) -> HttpResponse:
    """A copy of a message."""
    copy = editing.duplicate(find(Message, message_id, actor=request.actor), now=clock.now())
    return redirect("messages:edit", copy.pk)


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest, message_id: int) -> HttpResponse:
    """Remove a message that was never sent."""
    try:
        editing.delete(find(Message, message_id, actor=request.actor))
    except Problem as problem:
        if problem.status != 409:
            raise
        notices.error(request, problem.detail)
    return redirect("messages:index")
