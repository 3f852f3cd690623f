"""Members in a browser: invited, joining, kept to their role, given another, removed; and the plan of an account."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, at_rest, shoot
from tests.fixtures.installation import PASSWORD, Account, Installation

SAID = {
    "fr": {
        "invited": "Aucun message n’a pu être envoyé à",
        "role": "Analyste",
        "join": "Rejoindre « Équipe",
        "quote": " »",
        "actions": "Actions sur l’invitation de",
        "send_again": "Renvoyer",
        "withdraw": "Retirer l’invitation",
        "withdrawn": "L’invitation est retirée.",
        "over": "Invitation",
        "role_of": "Rôle de",
        "change": "Changer",
        "now": "est désormais : Marketeur.",
        "remove": "Retirer",
        "removed": "n’a plus accès au compte.",
        "sign_out": "Se déconnecter",
        "new": "Nouveau segment",
        "take_free": "Passer à la formule gratuite",
        "change_plan": "Changer de formule",
        "free": "Votre formule permet de construire, pas d’activer.",
        "take_full": "Passer à la formule complète",
        "full": "Les scénarios peuvent être construits et activés.",
        "menu": "Actions pour Bienvenue",
        "activate": "Activer",
    },
    "en": {
        "invited": "No mail could be sent to",
        "role": "Analyst",
        "join": "Join “Équipe",
        "quote": "”",
        "actions": "Actions on the invitation of",
        "send_again": "Send again",
        "withdraw": "Withdraw",
        "withdrawn": "The invitation is withdrawn.",
        "over": "Invitation",
        "role_of": "Role of",
        "change": "Change",
        "now": "is now: Marketer.",
        "remove": "Remove",
        "removed": "has no more access to the account.",
        "sign_out": "Sign out",
        "new": "New segment",
        "take_free": "Take the free plan",
        "change_plan": "Change the plan",
        "free": "Your plan lets you build, not activate.",
        "take_full": "Take the full plan",
        "full": "Journeys can be built and activated.",
        "menu": "Actions for Bienvenue",
        "activate": "Activate",
    },
}


def _team(installation: Installation, language: str, width: int, chief: str = "chef") -> Account:
    email = f"{chief}.{language}.{width}@example.org"
    return installation.create_account(f"Équipe {language} {width}", email=email, language=language)


def _seen(page: Page, name: str, language: str, width: int) -> None:
    at_rest(page)
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"{name}-{language}-{width}")


def _invite(page: Page, email: str, said: dict[str, str]) -> str:
    """Invite an analyst; the link that opens the account to them."""
    page.goto("/settings/members")
    page.fill("#id_email", email)
    page.select_option("#id_role", "analyst")
    page.click("form[action$='/invite'] button")
    expect(page.get_by_role("status").filter(has_text=said["invited"])).to_be_visible()
    link = page.get_attribute("[data-copy*='/invitation/']", "data-copy")
    assert link is not None
    return link


@each_way
def test_a_member_is_invited_and_kept_to_their_role(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    said, email = SAID[language], f"nouveau.{language}.{width}@example.org"
    page = visits.page(account=_team(installation, language, width), language=language, width=width)
    link = _invite(page, email, said)
    _seen(page, "members", language, width)

    theirs = visits.page(language=language, width=width)
    theirs.goto(link)
    expect(theirs.get_by_role("heading", level=1)).to_have_text(
        f"{said['join']} {language} {width}{said['quote']}"
    )
    _seen(theirs, "invitation", language, width)
    theirs.fill("#id_name", "Camille")
    theirs.fill("#id_password", PASSWORD)
    theirs.click("main button.btn-primary")
    theirs.wait_for_url(lambda url: "/invitation/" not in url)
    theirs.goto("/contacts/")
    assert theirs.locator("a[href*='/contacts/import'], a[href$='/contacts/new']").count() == 0
    for path in (
        "/contacts/",
        "/lists/",
        "/segments/",
        "/journeys/",
        "/messages/",
        "/suppressions/",
        "/deals/",
    ):
        theirs.goto(path)
        assert theirs.locator("main form[method=post]").count() == 0, path
    theirs.goto("/settings/")
    assert theirs.url.endswith("/settings/profile")
    assert_accessible(theirs)

    page.reload()
    expect(page.locator("select[name=role]").first).to_have_value("analyst")
    page.goto("/settings/log")
    expect(page.get_by_text(f"{email} ({said['role']})")).to_be_visible()
    _seen(page, "log", language, width)

    # Another role holds at once, and so does the end of it.
    page.goto("/settings/members")
    page.get_by_label(f"{said['role_of']} {email}").select_option("marketer")
    page.get_by_role("button", name=said["change"], exact=True).click()
    page.locator("#confirm-dialog").get_by_role("button", name=said["change"], exact=True).click()
    expect(page.get_by_text(said["now"])).to_be_visible()
    theirs.goto("/segments/")
    expect(theirs.get_by_role("link", name=said["new"])).to_be_visible()
    page.get_by_role("button", name=said["remove"], exact=True).click()
    page.locator("#confirm-dialog").get_by_role("button", name=said["remove"], exact=True).click()
    expect(page.get_by_text(said["removed"])).to_be_visible()
    theirs.goto("/segments/")
    assert theirs.get_by_role("link", name=said["new"]).count() == 0
    _seen(theirs, "no-account", language, width)
    theirs.get_by_role("button", name=said["sign_out"]).click()
    theirs.wait_for_url("**/accounts/login/**")
    visits.faults[:] = [fault for fault in visits.faults if "403" not in fault]


@each_way
def test_an_invitation_is_sent_again_and_withdrawn(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    said, email = SAID[language], f"invite.{language}.{width}@example.org"
    account = _team(installation, language, width, chief="hote")
    page = visits.page(account=account, language=language, width=width)
    first = _invite(page, email, said)

    def choose(action: str) -> None:
        page.get_by_role("button", name=f"{said['actions']} {email}").click()
        page.get_by_role("button", name=said[action], exact=True).click()

    choose("send_again")
    expect(page.get_by_role("status").filter(has_text=said["invited"])).to_be_visible()
    second = page.get_attribute("[data-copy*='/invitation/']", "data-copy")
    assert second is not None
    assert second != first
    choose("withdraw")
    page.locator("#confirm-dialog").get_by_role("button", name=said["withdraw"], exact=True).click()
    expect(page.get_by_text(said["withdrawn"])).to_be_visible()
    theirs = visits.page(language=language, width=width)
    for link in (first, second):
        theirs.goto(link)
        expect(theirs.get_by_role("heading", level=1)).to_have_text(said["over"])
        assert theirs.locator("#id_password").count() == 0
    _seen(theirs, "invitation-over", language, width)
    visits.faults[:] = [fault for fault in visits.faults if "404" not in fault and "410" not in fault]


@each_way
def test_the_free_plan_builds_and_does_not_activate(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    said = SAID[language]
    account = _team(installation, language, width, chief="formule")
    with installation.api(account) as api:
        steps = [{"id": "end", "type": "end"}]
        entry = {"triggers": [{"type": "manual"}]}
        body = {"name": "Bienvenue", "entry": entry, "start": "end", "steps": steps}
        assert api.post("journeys", json=body).status_code == 201
    page = visits.page(account=account, language=language, width=width)
    page.goto("/settings/#plan")
    page.get_by_role("button", name=said["take_free"]).click()
    page.locator("#confirm-dialog").get_by_role("button", name=said["change_plan"]).click()
    expect(page.locator("#plan")).to_contain_text(said["free"])
    _seen(page, "plan-free", language, width)
    page.goto("/journeys/")
    page.get_by_role("button", name=said["menu"]).click()
    page.get_by_role("button", name=said["activate"], exact=True).click()
    dialog = page.locator("#plan-needed")
    expect(dialog.get_by_role("heading", name=said["free"])).to_be_visible()
    _seen(page, "plan-needed", language, width)
    dialog.get_by_role("link", name=said["change_plan"]).click()
    page.wait_for_url("**/settings/#plan")
    page.get_by_role("button", name=said["take_full"]).click()
    expect(page.locator("#plan")).to_contain_text(said["full"])
