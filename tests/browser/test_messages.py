"""Messages in a browser: written, seen while written, refused with the line, tested, copied, deleted."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

BROKEN = "<mjml><mj-body>\n\n<mj-nothing /></mj-body></mjml>"
HTML = "<style>p{color:rgb(1,2,3)}</style><p>Bonjour {{ contact.first_name }}</p><script>document.title='ran'</script>"
WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "new": "Nouveau message",
        "hello": "Bonjour Camille,",
        "content": "Contenu",
        "line": "Ligne 3",
        "written_in": "Écrit en",
        "name": "Nom",
        "save": "Enregistrer",
        "saved": "Le message est enregistré.",
        "test_to": "Envoyer un test à",
        "on_its_way": "Le test est en route",
        "actions": "Actions pour «\u00a0{}\u00a0»",
        "duplicate": "Dupliquer",
        "copy": "Bienvenue (copie)",
        "delete": "Supprimer",
        "not_valid": "Ce lien n’est pas valable",
    },
    "en": {
        "new": "New message",
        "hello": "Hello Camille,",
        "content": "Content",
        "line": "Line 3",
        "written_in": "Written in",
        "name": "Name",
        "save": "Save",
        "saved": "The message is saved.",
        "test_to": "Send a test to",
        "on_its_way": "The test is on its way",
        "actions": "Actions for “{}”",
        "duplicate": "Duplicate",
        "copy": "Bienvenue (copy)",
        "delete": "Delete",
        "not_valid": "This link is not valid",
    },
}


@each_way
def test_a_message_is_seen_while_it_is_written(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    words = WORDS[language]
    account = installation.create_account("Plume", email=f"plume.{language}.{width}@example.org")
    page = visits.page(account=account, language=language, width=width)
    page.goto("/messages/")
    page.get_by_role("link", name=words["new"]).first.click()
    frame = page.frame_locator("iframe[name=message-preview]")
    expect(frame.get_by_text(words["hello"])).to_be_visible()
    assert_accessible(page)

    page.get_by_label(words["content"]).fill(BROKEN)
    expect(frame.get_by_text(words["line"])).to_be_visible()
    page.get_by_label(words["written_in"]).select_option("html")
    page.get_by_label(words["content"]).fill(HTML)
    seen = frame.get_by_text("Bonjour Camille", exact=True)
    expect(seen).to_have_css("color", "rgb(1, 2, 3)")
    assert_fits(page)
    shoot(page, f"message-new-{language}-{width}")

    page.get_by_label(words["name"], exact=True).fill("Bienvenue")
    page.get_by_role("button", name=words["save"]).first.click()
    expect(page.get_by_text(words["saved"])).to_be_visible()
    expect(seen).to_be_visible()  # The page's script, which sends the form into the frame, is done.
    page.get_by_label(words["test_to"]).fill("marie@example.org")
    # By the keyboard: headless Chromium may lose a click beside a sandboxed frame that has just been exchanged.
    page.get_by_label(words["test_to"]).press("Enter")
    expect(page.get_by_text(words["on_its_way"])).to_be_visible()

    page.goto("/messages/")
    expect(page.get_by_role("link", name="Bienvenue")).to_be_visible()
    page.get_by_role("button", name=words["actions"].format("Bienvenue")).click()
    page.get_by_role("button", name=words["duplicate"]).click()
    page.goto("/messages/")
    expect(page.get_by_role("link", name="Bienvenue")).to_have_count(2)
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"messages-{language}-{width}")
    page.get_by_role("button", name=words["actions"].format(words["copy"])).click()
    page.get_by_role("button", name=words["delete"], exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
    expect(page.get_by_role("link", name="Bienvenue")).to_have_count(1)
    # The preview's script was not run: the browser says so, which is no fault of the page.
    blocked = [fault for fault in visits.faults if "Blocked script execution" in fault]
    assert blocked
    for fault in blocked:
        visits.faults.remove(fault)


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_fit_in_english_too(visits: Visits, account: Account, width: int) -> None:
    page = visits.page(account=account, language="en", width=width)
    for path in ("/messages/", "/messages/new"):
        page.goto(path)
        assert_fits(page)
        assert_accessible(page)
        shoot(page, f"messages-{path.rsplit('/', 1)[1] or 'list'}-en-{width}")


@each_way
def test_a_forged_unsubscribe_link_says_so(visits: Visits, language: str, width: int) -> None:
    page = visits.page(language=language, width=width)
    answer = page.goto("/u/forged")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_text(WORDS[language]["not_valid"]).first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    visits.faults[:] = [fault for fault in visits.faults if "status of 404" not in fault]
