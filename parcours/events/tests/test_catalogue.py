"""The catalogue says what the contract says: every event, its labels, who can do it, what it is filtered on."""

from __future__ import annotations

import pytest

from parcours.events import catalogue

# name | French label | English label | A: an anonymous visitor can do it | properties to filter on
CONTRACT = """
ad.interacted | Interactions publicitaires | Ad interactions | A | campaign_id network interaction_type placement
social.interacted | Activité sur les réseaux sociaux | Social activity | A | network interaction_type
call.started | Appels commencés | Calls started | | owner country
call.ended | Appels terminés | Calls ended | | owner country
cta.viewed | CTA vus | CTA views | A | content_id cta_id
cta.clicked | CTA cliqués | CTA clicks | A | content_id cta_id
deal.stage_changed | Phase de la transaction | Deal stage | | pipeline stage from_stage amount
document.viewed | Documents affichés par les contacts | Documents viewed | |
document.finished | Consultation de documents terminée | Documents finished | |
document.shared | Documents partagés avec des contacts | Documents shared | |
form.viewed | Vue du formulaire | Form views | A | content_id form_id
form.interacted | Interaction avec le formulaire | Form interactions | A | content_id form_id
form.popup_viewed | Vue du formulaire pop-up | Pop-up form views | A | content_id form_id
form.submitted | Soumission de formulaire | Form submissions | | content_id form_id
email.sent | E-mails remis au serveur | E-mails handed to the server | | business_unit email_id
email.delivered | E-mails envoyés (distribués) | E-mails delivered | | business_unit email_id
email.opened | E-mails ouverts | Opened | | business_unit email_id
email.clicked | Liens cliqués dans l'e-mail | Links clicked | | business_unit email_id original_url
email.bounced | E-mails rejetés | Bounced | | business_unit email_id
email.complained | Spam signalé | Spam reported | | business_unit email_id
email.subscription_updated | Statut de l'abonnement e-mail mis à jour | Subscription updated | | business_unit email_id
marketing_event.registered | Inscrit à un événement marketing | Registered | | name origin
marketing_event.attended | Participation à un événement marketing | Attended | | name origin
marketing_event.cancelled | Annulation d'un événement marketing | Cancelled | | name origin
media.played | Média lu | Media played | A | content_id
meeting.booked | Rendez-vous pris | Meeting booked | | form_id source owner type
meeting.outcome_changed | Changement de résultat de réunion | Meeting outcome changed | | outcome owner
whatsapp.sent | Envois de messages sortants | Sent outgoing messages | |
whatsapp.delivered | Livraisons de messages sortants | Delivered outgoing messages | |
whatsapp.opened | Ouvertures de messages sortants | Opened outgoing messages | |
whatsapp.failed | Échecs de messages sortants | Failed outgoing messages | |
whatsapp.subscription_updated | Statut de l'abonnement WhatsApp mis à jour | WhatsApp subscription updated | |
payment.initiated | Paiement initié | Payment initiated | |
payment.succeeded | Paiement réussi | Payment succeeded | |
payment.failed | Échec du paiement | Payment failed | |
payment.refund_initiated | Remboursement initié | Refund initiated | |
payment.refund_succeeded | Remboursement réussi | Refund succeeded | |
payment.refund_failed | Remboursement échoué | Refund failed | |
sales_email.sent | Envois — E-mail commercial | Sent — Sales e-mail | | user_id
sales_email.opened | Ouvertures — E-mail commercial | Opened — Sales e-mail | | user_id
sales_email.clicked | Clics — E-mail commercial | Clicked — Sales e-mail | | user_id
sales_email.replied | Réponses — E-mail commercial | Replied — Sales e-mail | | user_id
sequence.enrolled | Contacts inscrits | Contacts enrolled | | enrolled_by sequence_id template_id
sequence.step_executed | Étapes exécutées | Steps executed | | enrolled_by sequence_id template_id
sequence.meeting_booked | Rendez-vous pris par une séquence | Meetings booked by a sequence | | enrolled_by sequence_id template_id
sequence.unsubscribed | Désabonnés d'un e-mail de séquence | Unsubscribed from a sequence e-mail | | enrolled_by sequence_id template_id
sequence.bounced | E-mails de séquence rejetés | Sequence e-mails bounced | | enrolled_by sequence_id template_id
sequence.errored | Séquences erronées | Sequences errored | | enrolled_by sequence_id template_id
sequence.unenrolled | Contacts désinscrits | Contacts unenrolled | | enrolled_by sequence_id template_id
sequence.unenrolled_manually | Contacts désinscrits manuellement | Contacts unenrolled manually | | enrolled_by sequence_id template_id
sequence.finished | Séquences terminées | Sequences finished | | enrolled_by sequence_id template_id
sms.sent | Message court envoyé | SMS sent | |
sms.delivered | Messages courts livrés | SMS delivered | |
sms.dropped | Messages courts abandonnés | SMS dropped | |
sms.failed | Messages courts échoués | SMS failed | |
sms.clicked | Lien cliqué dans un message court | SMS link clicked | |
sms.subscription_updated | Statut de l'abonnement SMS mis à jour | SMS subscription updated | |
page.viewed | Pages visitées | Pages visited | A | content_id
order.placed | Commandes passées | Orders placed | |
order.refunded | Commandes remboursées | Orders refunded | |
order.cancelled | Commandes annulées | Orders cancelled | |
cart.updated | Paniers mis à jour | Carts updated | A |
product.viewed | Produits vus | Products viewed | A |
"""  # noqa: E501
INSIDE = (
    "contact.created contact.updated contact.merged list.joined list.left segment.entered segment.left"
    " journey.entered journey.step_entered journey.completed journey.exited"
).split()
FILTER_LABELS = """
campaign_id | ID de la campagne publicitaire
network | Réseau publicitaire
interaction_type | Type d'interaction
placement | Emplacement du réseau
cta_id | GUID du CTA
form_id | ID du formulaire
business_unit | Unités commerciales
email_id | ID du contenu de l'e-mail
original_url | URL originale
name | Nom de l'événement
origin | Origine
source | Rendez-vous pris
outcome | Résultat de la réunion
type | Type de rendez-vous
user_id | ID de l'utilisateur
enrolled_by | Inscrit par l'utilisateur
sequence_id | ID de la séquence
template_id | ID du modèle
"""


def table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


@pytest.mark.parametrize(("name", "fr", "en", "anonymous", "filters"), table(CONTRACT))
def test_an_event_of_the_contract(name: str, fr: str, en: str, anonymous: str, filters: str) -> None:
    event = catalogue.EVENTS[name]
    assert (event.label.fr, event.label.en) == (fr, en)
    assert (catalogue.label(name, "fr-ca"), catalogue.label(name, "en")) == (fr, en)
    assert event.anonymous is catalogue.anonymous_allowed(name) is (anonymous == "A")
    assert [each.property for each in event.filters] == filters.split()
    assert event.meaning.fr.endswith(".")
    assert event.meaning.en.endswith(".")
    assert event.meaning.fr != event.meaning.en
    assert event.category == catalogue.category(name) == name.split(".")[0]
    assert catalogue.is_known(name)
    assert not catalogue.is_inside(name)


def test_there_is_no_other_event() -> None:
    assert set(catalogue.EVENTS) == {row[0] for row in table(CONTRACT)} | set(INSIDE)
    assert all(catalogue.is_inside(name) and not catalogue.anonymous_allowed(name) for name in INSIDE)


@pytest.mark.parametrize(("property", "fr"), table(FILTER_LABELS))
def test_a_filter_is_called_what_marketers_call_it(property: str, fr: str) -> None:
    labels = {
        each.label.fr
        for event in catalogue.EVENTS.values()
        for each in event.filters
        if each.property == property
    }
    assert labels == {fr}


def test_labels_that_depend_on_the_event() -> None:
    def said(name: str, property: str) -> str:
        (found,) = [each.label.fr for each in catalogue.EVENTS[name].filters if each.property == property]
        return found

    assert said("call.started", "owner") == "Propriétaire de l'appel"
    assert said("meeting.booked", "owner") == "Propriétaire du rendez-vous"
    assert said("call.ended", "country") == "Pays de l'appel"
    assert said("page.viewed", "content_id") == "ID de contenu"
    assert said("media.played", "content_id") == "Page de contenu"
    browser = {each.property: each.label.fr for each in catalogue.BROWSER_FILTERS}
    assert browser["device_type"] == "Type d'appareil"
    assert browser.keys() >= {
        "browser",
        "content_type",
        "country",
        "region",
        "url",
        "path",
        "utm_source",
        "referrer",
    }


@pytest.mark.parametrize("name", ["email.exploded", "page.", "journey.left", "form.Submitted"])
def test_a_name_in_a_category_must_be_in_it(name: str) -> None:
    assert catalogue.refusal(name) is not None


@pytest.mark.parametrize(
    "name", ["email.opened", "Webinar watched", "my_app.started", "email", "emails.opened"]
)
def test_any_other_name_is_accepted(name: str) -> None:
    assert catalogue.refusal(name) is None


def test_a_custom_event_may_be_anyones_and_bears_its_own_name() -> None:
    assert catalogue.anonymous_allowed("Webinar watched")
    assert catalogue.label("Webinar watched", "fr") == "Webinar watched"
