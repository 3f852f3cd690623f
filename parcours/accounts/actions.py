"""What changes accounts, their keys and their members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from parcours.accounts import log, second_factor
from parcours.accounts.access import Actor
from parcours.accounts.models import Account, ApiKey, Member, User
from parcours.accounts.roles import ADMIN, SCOPES
from parcours.lib import clock
from parcours.lib.ids import digest, new_secret
from parcours.lib.lines import is_line
from parcours.lib.problems import Fault, Invalid, Problem

_PREFIX_SHOWN = 12


@dataclass(frozen=True)
class NewAccount:
    """What is told once, when an account is made: its keys in clear."""

    account: Account
    user: User
    api_key: str
    write_key: str


def create_account(
    *,
    name: str,
    email: str,
    password: str,
    timezone: str = "UTC",
    currency: str = "EUR",
    country: str = "FR",
    language: str = "",
    any_password: bool = False,
) -> NewAccount:
    """Make an account, its owner (the user of this address when there is one already), and its `admin` key.

    `any_password` takes a weak password too: the operator's own command does. Raises Invalid with every fault: empty
    name, bad address, weak password, unknown zone or currency.
    """
    email = email.strip().lower()
    faults = settings_faults({"name": name, "timezone": timezone, "currency": currency, "country": country})
    try:
        validate_email(email)
    except ValidationError as error:
        faults.append({"pointer": "/email", "detail": " ".join(error.messages)})
    user = User.objects.filter(email=email).first()
    if not password:
        faults.append({"pointer": "/password", "detail": _("Give a password.")})
    elif user is None and not any_password:
        try:
            validate_password(password)
        except ValidationError as error:
            faults.append({"pointer": "/password", "detail": " ".join(error.messages)})
    elif user is not None and not user.check_password(password):
        detail = _("This address signs in already, with another password.")
        faults.append({"pointer": "/password", "detail": detail})
    if faults:
        raise Invalid(_("The account cannot be made."), faults)
    with transaction.atomic():
        account = Account.objects.create(
            name=name.strip(),
            timezone=timezone,
            currency=currency.upper(),
            country=country.upper(),
            write_key=new_secret("pw"),
            sender_name=name.strip(),
            sender_email=email,
        )
        if user is None:
            user = User.objects.create_user(email, password, language=language)
        Member.objects.create(account=account, user=user, role=Member.Role.OWNER)
        with override(language or None):
            _key, secret = create_key(account=account, name=_("First key"), scopes=[ADMIN])
    return NewAccount(account=account, user=user, api_key=secret, write_key=account.write_key)


def create_key(
    *, account: Account, name: str, scopes: Sequence[str], by: Actor | None = None
) -> tuple[ApiKey, str]:
    """A new API key and its secret, which is kept nowhere: show it once. Raises Invalid."""
    faults: list[Fault] = []
    if not name.strip():
        faults.append({"pointer": "/name", "detail": _("Give the key a name.")})
    if len(name) > 200:
        faults.append({"pointer": "/name", "detail": _("This is longer than 200 characters.")})
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        detail = _("Choose among: %(scopes)s.") % {"scopes": ", ".join(SCOPES)}
        faults.append({"pointer": "/scopes", "detail": detail})
    if faults:
        raise Invalid(_("The key cannot be made."), faults)
    secret = new_secret("pc")
    key = ApiKey.objects.create(
        account=account,
        name=name.strip(),
        prefix=secret[:_PREFIX_SHOWN],
        hash=digest(secret),
        scopes=[scope for scope in SCOPES if scope in scopes],
    )
    if by is not None:
        log.note(by, "key.made", f"{key.name} ({', '.join(key.scopes)})")
    return key, secret


def revoke_key(key: ApiKey, *, by: Actor | None = None) -> None:
    """Close a key at once and for good; revoking twice changes nothing."""
    closed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.now())
    if closed and by is not None:
        log.note(by, "key.revoked", key.name)


def change_plan(by: Actor, plan: str) -> None:
    """Give the account another plan; what is under way goes on. Raises Invalid for an unknown one, and Problem where
    plans are changed elsewhere (`PARCOURS_PLAN_URL`).
    """
    if settings.PLAN_URL:
        detail = _("The plan is changed at %(address)s.") % {"address": settings.PLAN_URL}
        raise Problem(403, "forbidden", detail)
    if plan not in Account.Plan.values:
        detail = _("Choose among: %(scopes)s.") % {"scopes": ", ".join(Account.Plan.values)}
        raise Invalid(_("The settings cannot be saved."), [{"pointer": "/plan", "detail": detail}])
    if plan != by.account.plan:
        by.account.plan = plan
        by.account.save(update_fields=["plan"])
        log.note(by, "plan.changed", by.account.get_plan_display())


def require_second_factor(by: Actor, *, asked: bool) -> None:
    """Ask every member for a second factor, or leave it to each. Raises Problem when the asker has none."""
    if asked and (by.user is None or not second_factor.is_set(by.user)):
        raise Problem(409, "conflict", _("Set your own second factor first."))
    if asked != by.account.second_factor_required:
        by.account.second_factor_required = asked
        by.account.save(update_fields=["second_factor_required"])
        log.note(by, "second_factor.asked" if asked else "second_factor.left")


def settings_faults(values: dict[str, object]) -> list[Fault]:
    """What is wrong in settings of an account; only the keys given are looked at."""
    faults: list[Fault] = []

    def wrong(key: str, detail: str) -> None:
        faults.append({"pointer": f"/{key}", "detail": detail})

    if "name" in values and not (str(values["name"]).strip() and len(str(values["name"])) <= 200):
        wrong("name", _("A name has 1 to 200 characters."))
    if "timezone" in values and values["timezone"] not in available_timezones():
        wrong("timezone", _("This is not a time zone, such as Europe/Paris."))
    currency = str(values.get("currency", "EUR"))
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        wrong("currency", _("A currency is three letters (ISO 4217), such as EUR."))
    country = str(values.get("country", "FR"))
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        wrong("country", _("A country is two letters (ISO 3166-1), such as FR."))
    days = values.get("attribution_days", 5)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 365:
        wrong("attribution_days", _("The attribution window is 1 to 365 days."))
    sender = str(values.get("sender_email") or "")
    if sender:
        try:
            validate_email(sender)
        except ValidationError:
            wrong("sender_email", _("This is not an e-mail address."))
    for key, longest in (("sender_name", 200), ("sender_email", 320), ("postal_address", 2000)):
        text = str(values.get(key) or "")
        if len(text) > longest:
            wrong(key, _("This text is too long."))
        if "\0" in text or (key != "postal_address" and not is_line(text)):
            wrong(key, _("A line break or an invisible character has no place here."))
    return faults


def change_settings(account: Account, values: dict[str, object], *, by: Actor | None = None) -> Account:
    """Change an account's settings; only the keys given. Raises Invalid with every fault."""
    faults = settings_faults(values)
    if faults:
        raise Invalid(_("The settings cannot be saved."), faults)
    for key, value in values.items():
        if key in ("currency", "country"):
            value = str(value).upper()
        setattr(account, key, value.strip() if isinstance(value, str) else value)
    account.save(update_fields=list(values))
    if by is not None:
        log.note(by, "settings.changed")
    return account
