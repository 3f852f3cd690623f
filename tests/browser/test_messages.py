"""Messages in a browser: written, seen while written, refused with the line, tested; both languages, a phone too."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account

BROKEN = "<mjml><mj-body>\n\n<mj-nothing /></mj-body></mjml>"
HTML = "<style>p{color:rgb(1,2,3)}</style><p>Bonjour {{ contact.first_name }}</p><script>document.title='ran'</script>"


def test_a_message_is_seen_while_it_is_written(visits: Visits, account: Account) -> None:
    page = visits.page(account=account, language="fr")
    page.goto("/messages/")
    page.get_by_role("link", name="Nouveau message").first.click()
    frame = page.frame_locator("iframe[name=message-preview]")
    expect(frame.get_by_text("Bonjour Camille,")).to_be_visible()
    assert_accessible(page)

    page.get_by_label("Contenu").fill(BROKEN)
    expect(frame.get_by_text("Ligne 3")).to_be_visible()
    page.get_by_label("Écrit en").select_option("html")
    page.get_by_label("Contenu").fill(HTML)
    seen = frame.get_by_text("Bonjour Camille", exact=True)
    expect(seen).to_have_css("color", "rgb(1, 2, 3)")
    shoot(page, "message-new-fr-1440")

    page.get_by_label("Nom", exact=True).fill("Bienvenue")
    page.get_by_role("button", name="Enregistrer").first.click()
    expect(page.get_by_text("Le message est enregistré.")).to_be_visible()
    expect(seen).to_be_visible()  # The page's script, which sends the form into the frame, is done.
    page.get_by_label("Envoyer un test à").fill("marie@example.org")
    # By the keyboard: headless Chromium may lose a click beside a sandboxed frame that has just been exchanged.
    page.get_by_label("Envoyer un test à").press("Enter")
    expect(page.get_by_text("Le test est en route")).to_be_visible()
    page.get_by_role("link", name="Messages").last.click()
    expect(page.get_by_role("link", name="Bienvenue")).to_be_visible()
    assert_accessible(page)
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


def test_a_forged_unsubscribe_link_says_so(visits: Visits, account: Account) -> None:
    page = visits.page(language="en", width=390)
    answer = page.request.get("/u/forged")
    assert answer.status == 404
    assert "This link is not valid" in answer.text()
