"""The page of the members, and the page on which an invited person joins."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import login
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts import actions, log, members, second_factor
from parcours.accounts.access import ACCOUNT_IN_SESSION, ADMIN, PageRequest, find, for_account, page
from parcours.accounts.forms import InvitationForm, JoiningForm, add_faults
from parcours.accounts.models import Deed, Invitation, Member, User
from parcours.lib import clock
from parcours.lib.problems import Invalid, NotFound, Problem

_LINES = 50
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_GET
@page(scope=ADMIN)
@never_cache
def index(request: PageRequest) -> HttpResponse:
    """Who works in the account, who is invited, and whether a second factor is asked of all."""
    return _shown(request, InvitationForm(roles=members.offered(request.actor)))


def _shown(request: PageRequest, form: InvitationForm, *, status: int = 200) -> HttpResponse:
    actor, now = request.actor, clock.now()
    offered = set(members.offered(actor))
    rows = list(for_account(Member, actor).select_related("user").order_by("user__email"))
    protected = set(
        Authenticator.objects.filter(user__memberships__account=actor.account, type=Authenticator.Type.TOTP)
        .values_list("user_id", flat=True)
        .distinct()
    )
    owners = sum(member.role == Member.Role.OWNER for member in rows)
    invited = for_account(Invitation, actor).select_related("account").order_by("email")
    context = {
        "form": form,
        "account": actor.account,
        "members": [
            {
                "member": member,
                "protected": member.user_id in protected,
                "me": member.user_id == (actor.user.pk if actor.user else 0),
                "fixed": member.role not in offered or (member.role == Member.Role.OWNER and owners == 1),
            }
            for member in rows
        ],
        "roles": [(role, label) for role, label in Member.Role.choices if role in offered],
        "invitations": [
            {
                "invitation": invitation,
                "link": members.link(invitation),
                "ends_at": members.ends_at(invitation),
                "over": members.ends_at(invitation) <= now,
            }
            for invitation in invited
        ],
        "can_require": actor.user is not None and second_factor.is_set(actor.user),
    }
    return render(request, "accounts/members.html", context, status=status)


@require_POST
@page(scope=ADMIN)
def invite(request: PageRequest) -> HttpResponse:
    """Offer a place to an address."""
    form = InvitationForm(request.POST, roles=members.offered(request.actor))
    if not form.is_valid():
        return _shown(request, form, status=422)
    try:
        sent = members.invite(request.actor, now=clock.now(), **form.cleaned_data)
    except Invalid as problem:
        add_faults(form, problem)
        return _shown(request, form, status=422)
    _tell(request, sent)
    return redirect("settings:members")


@require_POST
@page(scope=ADMIN)
def resend(request: PageRequest, invitation_id: str) -> HttpResponse:
    """Another link for the same place."""
    _tell(request, members.resend(find(Invitation, invitation_id, actor=request.actor), now=clock.now()))
    return redirect("settings:members")


def _tell(request: PageRequest, sent: members.Sent) -> None:
    told = {"email": sent.invitation.email}
    if sent.mailed:
        messages.success(request, _("The invitation is on its way to %(email)s.") % told)
    else:
        text = _("No mail could be sent to %(email)s: copy the link below and pass it on.")
        messages.warning(request, text % told)


@require_POST
@page(scope=ADMIN)
def withdraw(request: PageRequest, invitation_id: str) -> HttpResponse:
    """Take an invitation back."""
    members.withdraw(request.actor, find(Invitation, invitation_id, actor=request.actor))
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("settings:members")


@require_POST
@page(scope=ADMIN)
def role(request: PageRequest, member_id: str) -> HttpResponse:
    """Give a member another role."""
    member = find(Member, member_id, actor=request.actor, rows=Member.objects.select_related("user"))
    try:
        members.change_role(request.actor, member, request.POST.get("role", ""))
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        told = {"email": member.user.email, "role": member.get_role_display()}
        messages.success(request, _("The role of %(email)s is now: %(role)s.") % told)
    return redirect("settings:members")


@require_POST
@page(scope=ADMIN)
def remove(request: PageRequest, member_id: str) -> HttpResponse:
    """End a membership."""
    member = find(Member, member_id, actor=request.actor, rows=Member.objects.select_related("user"))
    try:
        members.remove(request.actor, member)
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(
            request, _("%(email)s has no more access to the account.") % {"email": member.user.email}
        )
    return redirect("settings:members")


@require_POST
@page(scope=ADMIN)
def require_second_factor(request: PageRequest) -> HttpResponse:
    """Ask every member for a second factor, or leave it to each."""
    try:
        actions.require_second_factor(request.actor, asked=request.POST.get("required") == "yes")
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("The settings are saved."))
    return redirect("settings:members")


@require_GET
@page(scope=ADMIN)
def deeds(request: PageRequest) -> HttpResponse:
    """The account's log, the latest first."""
    lines = Paginator(for_account(Deed, request.actor).order_by("-pk"), _LINES)
    found = lines.get_page(request.GET.get("page"))
    rows = [{"deed": deed, "what": log.KINDS.get(deed.what, deed.what)} for deed in found.object_list]
    return render(request, "accounts/log.html", {"rows": rows, "page": found})


@require_http_methods(["GET", "POST"])
@never_cache
def joining(request: HttpRequest, token: str) -> HttpResponse:
    """What an invitation's link opens: sign in, or choose a password, and join."""
    try:
        invitation = members.of_token(token, now=clock.now())
    except NotFound as problem:
        return render(request, "accounts/invitation_over.html", {"detail": problem.detail}, status=404)
    user = request.user if isinstance(request.user, User) else None
    form = JoiningForm(request.POST if request.method == "POST" and user is None else None)
    found: dict[str, Any] = {"invitation": invitation, "form": form, "reader": user}
    found["known"] = User.objects.filter(email=invitation.email).exists()
    found["other"] = user is not None and user.email != invitation.email
    status = 200
    if request.method == "POST" and not found["other"] and not (user is None and found["known"]):
        account = invitation.account
        try:
            if user is not None:
                members.join(invitation, user)
            elif form.is_valid():
                user = members.join_as_new(invitation, **form.cleaned_data)
                login(request, user, backend=_BACKEND)
        except Invalid as problem:
            add_faults(form, problem)
        except Problem as problem:
            form.add_error(None, problem.detail)
        if user is not None:
            request.session[ACCOUNT_IN_SESSION] = account.pk
            messages.success(request, _("Welcome to “%(account)s”.") % {"account": account.name})
            return redirect("ui:home")
        status = 422
    return render(request, "accounts/invitation.html", found, status=status)
