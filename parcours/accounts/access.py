"""Who is asking, and what they may reach. The only door by which an object is found by its id.

`find` both finds and authorises: an id of another account reads exactly as one that does not exist.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _

from parcours.accounts import roles, second_factor
from parcours.accounts.models import Account, ApiKey, Member, User
from parcours.accounts.roles import ADMIN as ADMIN
from parcours.accounts.roles import OWN as OWN
from parcours.accounts.roles import READ as READ
from parcours.accounts.roles import SEND as SEND
from parcours.accounts.roles import WRITE as WRITE
from parcours.lib.problems import NotFound, Problem
from parcours.ui.middleware import show_dates_in

if TYPE_CHECKING:
    from django.db.models import QuerySet

ACCOUNT_IN_SESSION = "account"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LARGEST_ID = 2**63 - 1

AnyModel = TypeVar("AnyModel", bound=models.Model)


@dataclass(frozen=True)
class Actor:
    """Someone or some program acting in one account, with what it may do there (`roles`)."""

    account: Account
    capabilities: frozenset[str]
    user: User | None = None
    role: str = ""
    key: ApiKey | None = None

    @property
    def account_id(self) -> int:
        return self.account.pk

    def allows(self, capability: str) -> bool:
        """Whether it may do what needs this capability."""
        return capability in self.capabilities


def for_account(model: type[AnyModel], actor: Actor) -> QuerySet[AnyModel]:
    """The rows of a model that belong to the actor's account; the model has an `account` or an
    `account_id`.
    """
    return model._default_manager.filter(account_id=actor.account_id)


def find(
    model: type[AnyModel], id: object, *, actor: Actor, rows: QuerySet[AnyModel] | None = None
) -> AnyModel:
    """The object of this id in the actor's account.

    `rows` are the rows to look among when they are not simply all of the model's (say, those not erased).
    Raises NotFound (404) for an unknown id, another account's, and a text that is no id.
    """
    number = as_id(id)
    among = model._default_manager.all() if rows is None else rows
    found = None if number is None else among.filter(account_id=actor.account_id, pk=number).first()
    if found is None:
        raise NotFound(_("There is nothing of this id here."))
    return found


def as_id(id: object) -> int | None:
    """The number of an id as the API writes it (decimal text), or None when it cannot be one."""
    text = str(id)
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if 0 < number <= _LARGEST_ID else None


def member_actor(member: Member) -> Actor:
    """What a member may do in their account, by their role."""
    capabilities = roles.CAPABILITIES.get(member.role, frozenset())
    return Actor(account=member.account, capabilities=capabilities, user=member.user, role=member.role)


def key_actor(key: ApiKey) -> Actor:
    """What a program may do in its key's account, by the key's scopes."""
    return Actor(account=key.account, capabilities=roles.of_scopes(key.scopes), key=key)


def refusal(actor: Actor, capability: str) -> str:
    """Why the actor may not do what needs a capability it lacks, as a sentence."""
    if actor.key is not None:
        return _("This needs the scope “%(scope)s”, which this key does not have.") % {"scope": capability}
    role = Member.Role(actor.role).label if actor.role in Member.Role.values else actor.role
    return _("Your role in this account (%(role)s) does not allow this.") % {"role": role}


def current_actor(request: HttpRequest) -> Actor | None:
    """The actor of a signed-in user's request: in the account chosen in the session, else in their first
    one.
    """
    if not request.user.is_authenticated:
        return None
    members = list(
        Member.objects.filter(user_id=request.user.pk).select_related("account", "user").order_by("pk")
    )
    chosen = request.session.get(ACCOUNT_IN_SESSION)
    for member in members:
        if member.account_id == chosen:
            return member_actor(member)
    return member_actor(members[0]) if members else None


class PageRequest(HttpRequest):
    """What a view under `page` is given."""

    actor: Actor


View = Callable[..., HttpResponseBase]


def page(view: View | None = None, *, scope: str = READ, post: str = "", unguarded: bool = False) -> Any:
    """A page of an account: sign-in asked for, `request.actor` attached, the role's right to `scope` checked,
    or to `post` for what is posted when that needs more. Members without the second factor that their account
    asks for are sent to set one, but for `unguarded` pages, which lead there and show nothing of the account's.

    Not found becomes the 404 page and a refusal the 403 page; another Problem is the view's own to show.
    """
    if view is None:
        return functools.partial(page, scope=scope, post=post, unguarded=unguarded)

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _sign_in(request)
        actor = current_actor(request)
        if actor is None:
            raise PermissionDenied(_("You belong to no account yet. Ask its owner to add you."))
        request.actor = actor  # type: ignore[attr-defined]
        needed = post if post and request.method not in SAFE else scope
        if not actor.allows(needed):
            raise PermissionDenied(refusal(actor, needed))
        if not unguarded and lacks_second_factor(actor):
            return _set_second_factor(request)
        structlog.contextvars.bind_contextvars(account=actor.account_id)
        show_dates_in(actor.user.timezone if actor.user else "", actor.account.timezone)
        try:
            return view(request, *args, **kwargs)
        except Problem as problem:
            if problem.status == 404:
                raise Http404(problem.detail) from problem
            if problem.status == 403:
                raise PermissionDenied(problem.detail) from problem
            raise

    return wrapped


def lacks_second_factor(actor: Actor) -> bool:
    """Whether the actor is a member without the second factor that the account asks for."""
    return actor.user is not None and second_factor.is_missing(actor.account, actor.user)


def _set_second_factor(request: HttpRequest) -> HttpResponseBase:
    messages.warning(request, _("This account asks its members for a second factor: set yours to go on."))
    address = resolve_url("settings:security")
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=403)
        response["HX-Redirect"] = address
        return response
    return redirect(address)


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    """The way to sign in; a browser fragment makes the whole page go there."""
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = resolve_url("account_login")
        return response
    return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
