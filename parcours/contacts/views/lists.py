"""The pages of lists."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.accounts.forms import chosen_unit
from parcours.contacts import actions, definitions, queries, uses
from parcours.contacts.audience import Audience
from parcours.contacts.forms import ListForm, MemberForm
from parcours.contacts.models import List
from parcours.contacts.views.audiences import address
from parcours.contacts.views.people import found_contact, people
from parcours.contacts.views.words import after
from parcours.lib import clock
from parcours.lib.paging import encode_cursor
from parcours.lib.problems import Problem

_A_PAGE = 50


@require_http_methods(["GET", "POST"])
@page(post=WRITE)
def index(request: PageRequest) -> HttpResponse:
    """The account's lists with how many are on each; a new one is made here."""
    form = ListForm(request.POST or None, account_id=request.actor.account_id)
    if request.method == "POST" and form.is_valid():
        made = definitions.create_list(
            account_id=request.actor.account_id,
            name=form.cleaned_data["name"],
            business_unit_id=chosen_unit(form),
            now=clock.now(),
        )
        messages.success(request, _("The list “%(name)s” is made.") % {"name": made.name})
        return redirect("lists:list", made.pk)
    search = request.GET.get("search", "").replace("\0", "").strip()[:200]
    rows = List.objects.filter(account_id=request.actor.account_id).order_by("name", "pk")
    if search:
        rows = rows.filter(name__icontains=search)
    listed = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    # The members of this page's lists alone are counted.
    shown = queries.lists(request.actor.account_id).filter(pk__in=[each.pk for each in listed.object_list])
    context = {
        "lists": shown.order_by("name", "pk"),
        "listed": listed,
        "search": search,
        "form": form,
    }
    return render(request, "contacts/lists.html", context, status=422 if form.errors else 200)


def _found(request: PageRequest, list_id: str) -> List:
    return find(List, list_id, actor=request.actor, rows=queries.lists(request.actor.account_id))


@require_GET
@page
def one(request: PageRequest, list_id: str) -> HttpResponse:
    """Who is on a list, the latest to join first; a search narrows them."""
    found = _found(request, list_id)
    search = request.GET.get("search", "").replace("\0", "").strip()[:200]
    rows = found.memberships.order_by("-pk").values_list("pk", "contact_id", "joined_at")
    if search:
        account = request.actor.account
        matching = queries.search(account.pk, text=search, country=account.country)
        rows = rows.filter(contact_id__in=matching.values("pk"))
    count = rows.count()
    last = after(request.GET.get("cursor", ""))
    if last:
        rows = rows.filter(pk__lt=last)
    page_rows = list(rows[: _A_PAGE + 1])
    more, page_rows = len(page_rows) > _A_PAGE, page_rows[:_A_PAGE]
    joined = {contact_id: at for _pk, contact_id, at in page_rows}
    members = [
        {**person, "joined": joined[person["contact"]]}
        for person in people([contact_id for _pk, contact_id, _at in page_rows])
    ]
    context = {
        "list": found,
        "members": members,
        "search": search,
        "count": count,
        "everybody": address(Audience(list=str(found.pk), search=search)),
        "next": encode_cursor(page_rows[-1][0]) if more else None,
        "member_form": MemberForm(),
        "name_form": ListForm(
            initial={"name": found.name, "business_unit": found.business_unit_id or ""},
            account_id=found.account_id,
        ),
        "uses": uses.of_account(found.account_id).of("list", found.pk),
    }
    return render(request, "contacts/list.html", context)


@require_POST
@page(scope=WRITE)
def rename(request: PageRequest, list_id: str) -> HttpResponse:
    """Give a list another name, or another business unit."""
    found = _found(request, list_id)
    form = ListForm(request.POST, account_id=found.account_id)
    if form.is_valid():
        found.name = form.cleaned_data["name"]
        found.business_unit_id = chosen_unit(form)
        found.save(update_fields=["name", "business_unit"])
        messages.success(request, _("The list is changed."))
    elif "business_unit" in form.errors:
        messages.error(request, _("There is no such business unit."))
    else:
        messages.error(request, _("A list needs a name of at most 200 characters."))
    return redirect("lists:list", found.pk)


@require_POST
@page(scope=WRITE)
def add(request: PageRequest, list_id: str) -> HttpResponse:
    """Put a known contact on a list by hand."""
    found = _found(request, list_id)
    form = MemberForm(request.POST)
    contact_id = _known(request, form.cleaned_data["key"]) if form.is_valid() else None
    if contact_id is None:
        messages.error(request, _("No contact has this address, number or external id."))
        return redirect("lists:list", found.pk)
    joined = actions.add_to_list(
        account_id=found.account_id,
        list_id=found.pk,
        contact_ids=[contact_id],
        source="page",
        now=clock.now(),
    )
    said = _("The contact is on the list.") if joined else _("This contact was on the list already.")
    messages.success(request, said)
    return redirect("lists:list", found.pk)


def _known(request: PageRequest, text: str) -> int | None:
    """Whom a text typed by hand names: an e-mail address, an external id, or a phone number."""
    account = request.actor.account
    references = [{"email": text}, {"external_id": text}, {"phone": text}]
    answers = queries.resolve(account.pk, references, country=account.country)
    return next((answer for answer in answers if answer is not None), None)


@require_POST
@page(scope=WRITE)
def remove(request: PageRequest, list_id: str, contact_id: str) -> HttpResponse:
    """Take a contact off a list."""
    found = _found(request, list_id)
    contact = found_contact(request, contact_id)
    actions.remove_from_list(
        account_id=found.account_id,
        list_id=found.pk,
        contact_ids=[contact.pk],
        source="page",
        now=clock.now(),
    )
    messages.success(request, _("The contact is off the list."))
    return redirect("lists:list", found.pk)


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest, list_id: str) -> HttpResponse:
    """Delete a list that nothing uses; its contacts stay."""
    found = _found(request, list_id)
    try:
        uses.refuse_while_used(found.account_id, "list", found.pk)
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("lists:list", found.pk)
    definitions.delete_list(contact_list=found, now=clock.now())
    messages.success(request, _("The list “%(name)s” is deleted. Its contacts stay.") % {"name": found.name})
    return redirect("lists:index")
