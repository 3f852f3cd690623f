"""The settings pages (Paramètres)."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts import actions, second_factor
from parcours.accounts.access import ACCOUNT_IN_SESSION, ADMIN, PageRequest, find, for_account, page
from parcours.accounts.forms import SCOPE_WORDS, KeyForm, ProfileForm, SettingsForm, add_faults
from parcours.accounts.models import ApiKey, Member
from parcours.lib.problems import Invalid, NotFound, Problem

_FIELDS = tuple(SettingsForm.base_fields)


@require_http_methods(["GET", "POST"])
@page(post=ADMIN)
def account(request: PageRequest) -> HttpResponse:
    """Name, zone, currency, attribution window, sender; who may not change them goes on to their own settings."""
    if not request.actor.allows(ADMIN):
        return redirect("settings:profile")
    now = request.actor.account
    form = SettingsForm(request.POST or None, initial={name: getattr(now, name) for name in _FIELDS})
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_settings(now, form.cleaned_data, by=request.actor)
        except Invalid as problem:
            add_faults(form, problem)
        else:
            messages.success(request, _("The settings are saved."))
            return redirect("settings:account")
    found = {"form": form, "account": request.actor.account, "plan_url": settings.PLAN_URL}
    return render(request, "accounts/account.html", found, status=422 if form.errors else 200)


@require_POST
@page(scope=ADMIN)
def plan(request: PageRequest) -> HttpResponse:
    """Give the account another plan."""
    try:
        actions.change_plan(request.actor, request.POST.get("plan", ""))
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("The settings are saved."))
    return redirect("settings:account")


@require_http_methods(["GET", "POST"])
@page(scope=ADMIN)
@never_cache
def keys(request: PageRequest) -> HttpResponse:
    """The API keys; a new one's secret is shown in the answer to its making, and never again."""
    form = KeyForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            _key, secret = actions.create_key(
                account=request.actor.account, by=request.actor, **form.cleaned_data
            )
        except Invalid as problem:
            add_faults(form, problem)
        else:
            form = KeyForm()
    listed = for_account(ApiKey, request.actor).order_by("revoked_at", "-pk")
    said = [(key, [SCOPE_WORDS[scope] for scope in key.scopes if scope in SCOPE_WORDS]) for key in listed]
    found = {"form": form, "keys": said, "secret": secret}
    return render(request, "accounts/keys.html", found, status=422 if form.errors else 200)


@require_POST
@page(scope=ADMIN)
def revoke(request: PageRequest, key_id: int) -> HttpResponse:
    """Close a key."""
    key = find(ApiKey, key_id, actor=request.actor)
    actions.revoke_key(key, by=request.actor)
    messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("settings:keys")


@require_GET
@page
def tracking(request: PageRequest) -> HttpResponse:
    """The account's own snippet, and when its last page view was received."""
    snippet = f'<script async src="{settings.PUBLIC_URL}/t.js" data-key="{request.actor.account.write_key}"></script>'
    found = {"snippet": snippet, "account": request.actor.account, "public_url": settings.PUBLIC_URL}
    return render(request, "accounts/tracking.html", found)


@require_GET
@page
def last_page(request: PageRequest) -> HttpResponse:
    """The line that says when the last page view was received; asked for again every few seconds."""
    return render(request, "accounts/last_page.html", {"account": request.actor.account})


@require_http_methods(["GET", "POST"])
@page(unguarded=True)
def profile(request: PageRequest) -> HttpResponse:
    """The user's own name, language and zone."""
    user = request.actor.user
    assert user is not None
    initial = {"name": user.name, "language": user.language, "timezone": user.timezone}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        for name, value in form.cleaned_data.items():
            setattr(user, name, value)
        user.save(update_fields=list(form.cleaned_data))
        with override(user.language or None):
            messages.success(request, _("Your settings are saved."))
        return redirect("settings:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@page(unguarded=True)
def security(request: PageRequest) -> HttpResponse:
    """How the user signs in: password, second factor, sessions."""
    user = request.actor.user
    assert user is not None
    kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    found = {
        "has_second_factor": Authenticator.Type.TOTP in set(kinds),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "required": request.actor.account.second_factor_required,
        "has_password": user.has_usable_password(),
    }
    return render(request, "accounts/security.html", found)


@require_POST
@page(unguarded=True)
def sign_out_elsewhere(request: PageRequest) -> HttpResponse:
    """End the user's sessions on every other browser."""
    user = request.actor.user
    assert user is not None
    second_factor.end_other_sessions(request, user)
    messages.success(request, _("Your other sessions are ended."))
    return redirect("settings:security")


@require_POST
@page(unguarded=True)
def switch(request: PageRequest, account_id: int) -> HttpResponse:
    """Work in another account of the user's from now on."""
    member = Member.objects.filter(user=request.actor.user, account_id=account_id).first()
    if member is None:
        raise NotFound(_("There is nothing of this id here."))
    request.session[ACCOUNT_IN_SESSION] = member.account_id
    return redirect("ui:home")
