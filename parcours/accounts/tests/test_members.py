"""Members: invitations and their links, roles, removal, and the last owner who stays."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client

from parcours.accounts import actions, members
from parcours.accounts.access import Actor, member_actor
from parcours.accounts.models import Account, Deed, Invitation, Member, User
from parcours.lib import clock
from parcours.lib.problems import Invalid, NotFound, Problem

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PASSWORD = "correct horse battery"


class Mailbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.received.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_URL = "smtp://127.0.0.1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield box
    server.stop()


@pytest.fixture
def new() -> actions.NewAccount:
    return actions.create_account(name="Shop", email="ada@example.org", password=PASSWORD)


@pytest.fixture
def owner(new: actions.NewAccount) -> Actor:
    return member_actor(Member.objects.get(account=new.account, user=new.user))


def joined(account: Account, email: str, role: str) -> Member:
    user = User.objects.create_user(email, PASSWORD)
    return Member.objects.create(account=account, user=user, role=role)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def invited(owner: Actor, email: str = "bob@example.org", role: str = "marketer") -> Invitation:
    return members.invite(owner, email=email, role=role, now=clock.now()).invitation


def path_of(invitation: Invitation) -> str:
    return "/invitation/" + members.link(invitation).rsplit("/", 1)[1]


def told(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_a_person_is_invited_by_mail_and_joins(owner: Actor, mailbox: Mailbox) -> None:
    client = browser(owner.user)  # type: ignore[arg-type]
    values = {"email": " Bob@Example.org ", "role": "analyst"}
    answer = client.post("/settings/members/invite", values, follow=True)
    assert "The invitation is on its way to bob@example.org." in told(answer)
    ((to, mail),) = mailbox.received
    assert to == ["bob@example.org"]
    plain = mail.replace("=\r\n", "").replace("=3D", "=")
    (link,) = re.findall(r"http://[^\s]*/invitation/\S+", plain)
    assert link == members.link(Invitation.objects.get())

    newcomer = Client()
    path = path_of(Invitation.objects.get())
    assert "bob@example.org is invited as: Analyst." in told(newcomer.get(path))
    weak = newcomer.post(path, {"name": "Bob", "password": "123"})
    assert weak.status_code == 422
    assert not User.objects.filter(email="bob@example.org").exists()
    assert newcomer.post(path, {"name": "Bob", "password": PASSWORD}).status_code == 302
    member = Member.objects.get(user__email="bob@example.org")
    assert (member.account_id, member.role, member.user.name) == (owner.account_id, "analyst", "Bob")
    assert newcomer.get("/contacts/").status_code == 200
    assert newcomer.get("/contacts/new").status_code == 403
    # The link opened once.
    assert Client().get(path).status_code == 404
    kinds = list(Deed.objects.order_by("pk").values_list("what", "who", "about"))
    assert kinds == [
        ("member.invited", "ada@example.org", "bob@example.org (Analyst)"),
        ("member.joined", "bob@example.org", "Analyst"),
    ]


def test_without_mail_the_link_is_shown_to_copy(owner: Actor) -> None:
    client = browser(owner.user)  # type: ignore[arg-type]
    values = {"email": "bob@example.org", "role": "admin"}
    answer = client.post("/settings/members/invite", values, follow=True)
    page = told(answer)
    assert "No mail could be sent to bob@example.org" in page
    assert members.link(Invitation.objects.get()) in page


def test_a_mail_server_that_does_not_answer_is_told(owner: Actor, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    sent = members.invite(owner, email="bob@example.org", role="analyst", now=clock.now())
    assert (sent.mailed, Invitation.objects.count()) == (False, 1)


def test_a_link_is_void_once_old_replaced_withdrawn_or_forged(owner: Actor) -> None:
    now = clock.now()
    invitation = invited(owner)
    token = members.link(invitation).rsplit("/", 1)[1]
    assert members.of_token(token, now=now + timedelta(days=6, hours=23)) == invitation
    for wrong, at in (
        (token, now + timedelta(days=7, seconds=1)),
        (("A" if token[0] != "A" else "B") + token[1:], now),
        ("", now),
        ("é" * 300, now),
    ):
        with pytest.raises(NotFound):
            members.of_token(wrong, now=at)
    members.resend(invitation, now=now)
    with pytest.raises(NotFound):
        members.of_token(token, now=now)
    again = members.link(invitation).rsplit("/", 1)[1]
    assert members.of_token(again, now=now) == invitation
    members.withdraw(owner, invitation)
    with pytest.raises(NotFound):
        members.of_token(again, now=now)


def test_who_signs_in_already_joins_with_their_own_user(owner: Actor) -> None:
    other = actions.create_account(name="Other", email="bob@example.org", password=PASSWORD)
    path = path_of(invited(owner))
    page = told(Client().get(path))
    assert "This address signs in already: sign in to join." in page
    assert f"/accounts/login/?next={path}" in page
    # Nobody takes over a user by choosing a password for them.
    Client().post(path, {"name": "Eve", "password": "another long password"})
    assert User.objects.get(email="bob@example.org").check_password(PASSWORD)
    assert Invitation.objects.exists()
    client = browser(other.user)
    assert client.post(path).status_code == 302
    assert Member.objects.filter(user=other.user).count() == 2
    # They work in the account that they joined.
    assert "Shop" in told(client.get("/contacts/"))


def test_an_invitation_is_for_its_address_alone(owner: Actor) -> None:
    other = actions.create_account(name="Other", email="eve@example.org", password=PASSWORD)
    path = path_of(invited(owner))
    client = browser(other.user)
    assert "You are signed in as eve@example.org" in told(client.get(path))
    client.post(path)
    assert not Member.objects.filter(user=other.user, account=owner.account).exists()


@pytest.mark.parametrize(
    ("email", "role", "pointer"),
    [
        ("nobody", "analyst", "/email"),
        ("bob@example.org\nBcc: eve@example.org", "analyst", "/email"),
        ("ada@example.org", "analyst", "/email"),
        ("bob@example.org", "king", "/role"),
        ("bob@example.org", "", "/role"),
    ],
)
def test_a_bad_invitation_is_refused(owner: Actor, email: str, role: str, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        members.invite(owner, email=email, role=role, now=clock.now())
    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]
    assert not Invitation.objects.exists()


def test_a_person_is_invited_once(owner: Actor) -> None:
    invited(owner)
    with pytest.raises(Invalid):
        invited(owner, role="analyst")
    assert Invitation.objects.get().role == "marketer"


def test_roles_change_at_once(owner: Actor) -> None:
    member = joined(owner.account, "bob@example.org", "analyst")
    theirs = browser(member.user)
    assert theirs.get("/contacts/new").status_code == 403
    client = browser(owner.user)  # type: ignore[arg-type]
    client.post(f"/settings/members/{member.pk}/role", {"role": "marketer"})
    assert theirs.get("/contacts/new").status_code == 200
    client.post(f"/settings/members/{member.pk}/remove")
    assert theirs.get("/contacts/").status_code == 403
    assert [deed.what for deed in Deed.objects.order_by("pk")] == ["member.role", "member.removed"]


def test_the_last_owner_stays(owner: Actor) -> None:
    mine = Member.objects.get(account=owner.account)
    for change in (
        lambda: members.remove(owner, mine),
        lambda: members.change_role(owner, mine, "admin"),
    ):
        with pytest.raises(Problem) as refused:
            change()
        assert refused.value.status == 409
    members.change_role(owner, joined(owner.account, "bob@example.org", "admin"), "owner")
    members.change_role(owner, mine, "analyst")
    mine.refresh_from_db()
    assert mine.role == "analyst"


def test_administrators_do_not_touch_owners(owner: Actor) -> None:
    admin = member_actor(joined(owner.account, "bob@example.org", "admin"))
    mine = Member.objects.get(account=owner.account, role="owner")
    colleague = joined(owner.account, "cy@example.org", "analyst")
    second = joined(owner.account, "dee@example.org", "owner")
    for change in (
        lambda: members.remove(admin, mine),
        lambda: members.change_role(admin, second, "analyst"),
        lambda: members.change_role(admin, colleague, "owner"),
    ):
        with pytest.raises(Problem) as refused:
            change()
        assert refused.value.status == 403
    with pytest.raises(Invalid):
        invited(admin, email="eve@example.org", role="owner")
    assert Member.objects.filter(account=owner.account, role="owner").count() == 2


def test_the_page_says_who_is_who(owner: Actor) -> None:
    joined(owner.account, "bob@example.org", "analyst")
    invited(owner, email="cy@example.org")
    page = told(browser(owner.user).get("/settings/members"))  # type: ignore[arg-type]
    assert all(f"{name}@example.org" in page for name in ("ada", "bob", "cy"))
    # The last owner's place cannot be changed.
    mine = Member.objects.get(account=owner.account, role="owner")
    assert f"/settings/members/{mine.pk}/" not in page


def test_the_log_tells_what_matters(owner: Actor) -> None:
    client = browser(owner.user)  # type: ignore[arg-type]
    client.post("/settings/keys", {"name": "Shop sync", "scopes": ["read"]})
    client.get("/contacts/export?format=csv")
    client.post("/settings/plan", {"plan": "free"})
    page = told(client.get("/settings/log"))
    for text in ("Made the API key", "Shop sync (read)", "Exported contacts", "Changed the plan"):
        assert text in page
    french = told(client.get("/settings/log", headers={"Accept-Language": "fr"}))
    assert "A créé la clé API" in french
