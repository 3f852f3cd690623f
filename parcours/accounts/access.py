"""Who is asking, and what they may reach. The only door by which an object is found by its id.

`find` both finds and authorises: an id of another account reads exactly as one that does not exist.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from parcours.accounts.models import Account, ApiKey, Member, User
from parcours.lib.problems import NotFound, Problem
from parcours.ui.middleware import show_dates_in

if TYPE_CHECKING:
    from django.db.models import QuerySet

READ, WRITE, SEND, ADMIN = "read", "write", "send", "admin"
SCOPES = (READ, WRITE, SEND, ADMIN)
#: What each role may do. More roles find their place here.
ROLE_SCOPES: dict[str, frozenset[str]] = {Member.Role.OWNER: frozenset(SCOPES)}
ACCOUNT_IN_SESSION = "account"
_LARGEST_ID = 2**63 - 1

AnyModel = TypeVar("AnyModel", bound=models.Model)


@dataclass(frozen=True)
class Actor:
    """Someone or some program acting in one account, with what it may do there."""

    account: Account
    scopes: frozenset[str]
    user: User | None = None
    role: str = ""
    key: ApiKey | None = None

    @property
    def account_id(self) -> int:
        return self.account.pk

    def allows(self, scope: str) -> bool:
        """Whether it may do what needs this scope; `admin` opens everything."""
        return scope in self.scopes or ADMIN in self.scopes


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
    scopes = ROLE_SCOPES.get(member.role, frozenset())
    return Actor(account=member.account, scopes=scopes, user=member.user, role=member.role)


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


def page(view: View | None = None, *, scope: str = READ) -> Any:
    """A page of an account: sign-in asked for, `request.actor` attached, the role's right to `scope` checked.

    Not found becomes the 404 page and a refusal the 403 page; another Problem is the view's own to show.
    """
    if view is None:
        return functools.partial(page, scope=scope)

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _sign_in(request)
        actor = current_actor(request)
        if actor is None:
            raise PermissionDenied(_("You belong to no account yet. Ask its owner to add you."))
        if not actor.allows(scope):
            raise PermissionDenied(_("Your role does not allow this."))
        request.actor = actor  # type: ignore[attr-defined]
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

    wrapped.parcours_scope = scope  # type: ignore[attr-defined]
    return wrapped


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    """The way to sign in; a browser fragment makes the whole page go there."""
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = resolve_url("account_login")
        return response
    return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
