"""What each event is as something that a contact did, in both languages.

An act is what was done, and to what: "has placed", "an order". With a plural (orders), the things are counted: at least
2 orders. Without it the times are: has opened an e-mail at least 2 times, which may be one e-mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """A verb in the past, its object with the article, its negation, and the object's plural when it is counted."""

    did: str
    thing: str
    never: str
    many: str = ""

    @property
    def bare(self) -> str:
        """The object without its article."""
        return self.thing.partition(" ")[2]

    @property
    def feminine(self) -> bool:
        """Whether the object is feminine, in French."""
        return self.thing.startswith("une ")


# Of each event: the verb | its object | the plural, where things are counted.
_TABLE = """
*
  fr a fait | une action | actions
  en has taken | an action | actions
ad.interacted
  fr a interagi | avec une publicité
  en has engaged with | an ad
call.started
  fr a commencé | un appel | appels
  en has begun | a call | calls
call.ended
  fr a terminé | un appel | appels
  en has ended | a call | calls
cta.viewed
  fr a vu | un appel à l’action
  en has seen | a call to action
cta.clicked
  fr a cliqué | sur un appel à l’action
  en has clicked | a call to action
deal.stage_changed
  fr a vu | une transaction changer de phase
  en has had | a deal change stage
document.viewed
  fr a consulté | un document
  en has viewed | a document
document.finished
  fr a terminé | la consultation d’un document
  en has finished viewing | a document
document.shared
  fr a reçu | un document partagé
  en has been sent | a document
form.viewed
  fr a vu | un formulaire
  en has seen | a form
form.interacted
  fr a interagi | avec un formulaire
  en has interacted with | a form
form.popup_viewed
  fr a vu | un formulaire pop-up
  en has seen | a pop-up form
form.submitted
  fr a soumis | un formulaire
  en has submitted | a form
email.sent
  fr a été destinataire | d’un e-mail remis au serveur
  en has been sent | an e-mail
email.delivered
  fr a reçu | un e-mail | e-mails
  en has received | an e-mail | e-mails
email.opened
  fr a ouvert | un e-mail
  en has opened | an e-mail
email.clicked
  fr a cliqué | dans un e-mail
  en has clicked in | an e-mail
email.bounced
  fr a eu | un e-mail rejeté | e-mails rejetés
  en has had | an e-mail bounced | e-mails bounced
email.complained
  fr a signalé | un e-mail comme spam
  en has reported | an e-mail as spam
email.subscription_updated
  fr a changé | son abonnement aux e-mails
  en has changed | their e-mail subscription
marketing_event.registered
  fr s’est inscrit | à un événement marketing
  en has registered for | a marketing event
marketing_event.attended
  fr a participé | à un événement marketing
  en has attended | a marketing event
marketing_event.cancelled
  fr a annulé | son inscription à un événement marketing
  en has cancelled | their registration for a marketing event
media.played
  fr a lu | un média
  en has played | a medium
meeting.booked
  fr a pris | un rendez-vous | rendez-vous
  en has booked | a meeting | meetings
meeting.outcome_changed
  fr a eu | un changement de résultat de réunion | changements de résultat de réunion
  en has had | a change of a meeting’s outcome | changes of a meeting’s outcome
whatsapp.sent
  fr a été destinataire | d’un message WhatsApp envoyé
  en has been sent | a WhatsApp message
whatsapp.delivered
  fr a reçu | un message WhatsApp | messages WhatsApp
  en has received | a WhatsApp message | WhatsApp messages
whatsapp.opened
  fr a ouvert | un message WhatsApp
  en has opened | a WhatsApp message
whatsapp.failed
  fr a eu | un message WhatsApp en échec | messages WhatsApp en échec
  en has had | a WhatsApp message fail | WhatsApp messages fail
whatsapp.subscription_updated
  fr a changé | son abonnement WhatsApp
  en has changed | their WhatsApp subscription
payment.initiated
  fr a initié | un paiement | paiements
  en has initiated | a payment | payments
payment.succeeded
  fr a réussi | un paiement | paiements
  en has succeeded in | a payment | payments
payment.failed
  fr a eu | un paiement échoué | paiements échoués
  en has had | a payment fail | payments fail
payment.refund_initiated
  fr a eu | un remboursement initié | remboursements initiés
  en has had | a refund initiated | refunds initiated
payment.refund_succeeded
  fr a eu | un remboursement réussi | remboursements réussis
  en has had | a refund succeed | refunds succeed
payment.refund_failed
  fr a eu | un remboursement échoué | remboursements échoués
  en has had | a refund fail | refunds fail
sales_email.sent
  fr a été destinataire | d’un e-mail commercial
  en has been sent | a sales e-mail
sales_email.opened
  fr a ouvert | un e-mail commercial
  en has opened | a sales e-mail
sales_email.clicked
  fr a cliqué | dans un e-mail commercial
  en has clicked in | a sales e-mail
sales_email.replied
  fr a répondu | à un e-mail commercial
  en has replied to | a sales e-mail
sequence.enrolled
  fr a été inscrit | dans une séquence
  en has been enrolled in | a sequence
sequence.step_executed
  fr a eu | une étape de séquence exécutée | étapes de séquence exécutées
  en has had | a step of a sequence executed | steps of a sequence executed
sequence.meeting_booked
  fr a pris | un rendez-vous par une séquence | rendez-vous par une séquence
  en has booked | a meeting by a sequence | meetings by a sequence
sequence.unsubscribed
  fr s’est désabonné | d’un e-mail de séquence
  en has unsubscribed from | a sequence e-mail
sequence.bounced
  fr a eu | un e-mail de séquence rejeté | e-mails de séquence rejetés
  en has had | a sequence e-mail bounced | sequence e-mails bounced
sequence.errored
  fr a eu | une séquence en erreur | séquences en erreur
  en has had | a sequence in error | sequences in error
sequence.unenrolled
  fr a été désinscrit | d’une séquence
  en has been unenrolled from | a sequence
sequence.unenrolled_manually
  fr a été désinscrit manuellement | d’une séquence
  en has been unenrolled by hand from | a sequence
sequence.finished
  fr a terminé | une séquence | séquences
  en has finished | a sequence | sequences
sms.sent
  fr a été destinataire | d’un SMS envoyé
  en has been sent | an SMS
sms.delivered
  fr a reçu | un SMS | SMS
  en has received | an SMS | SMS
sms.failed
  fr a eu | un SMS en échec | SMS en échec
  en has had | an SMS fail | SMS fail
sms.dropped
  fr a eu | un SMS abandonné | SMS abandonnés
  en has had | an SMS dropped | SMS dropped
sms.clicked
  fr a cliqué | dans un SMS
  en has clicked in | an SMS
sms.subscription_updated
  fr a changé | son abonnement SMS
  en has changed | their SMS subscription
page.viewed
  fr a vu | une page
  en has viewed | a page
social.interacted
  fr a interagi | sur un réseau social
  en has engaged on | a social network
order.placed
  fr a passé | une commande | commandes
  en has placed | an order | orders
order.refunded
  fr a eu | une commande remboursée | commandes remboursées
  en has had | an order refunded | orders refunded
order.cancelled
  fr a annulé | une commande | commandes
  en has cancelled | an order | orders
cart.updated
  fr a modifié | un panier
  en has updated | a cart
product.viewed
  fr a vu | un produit
  en has viewed | a product
contact.created
  fr a été | créé
  en has been | created
contact.updated
  fr a été | modifié
  en has been | updated
contact.merged
  fr a été fusionné | avec un autre contact
  en has been merged with | another contact
list.joined
  fr a été ajouté | à une liste
  en has joined | a list
list.left
  fr a été retiré | d’une liste
  en has left | a list
segment.entered
  fr est entré | dans un segment
  en has entered | a segment
segment.left
  fr est sorti | d’un segment
  en has left | a segment
journey.entered
  fr est entré | dans un scénario
  en has entered | a journey
journey.step_entered
  fr est passé | à une étape d’un scénario
  en has entered | a step of a journey
journey.completed
  fr a terminé | un scénario
  en has completed | a journey
journey.exited
  fr est sorti | d’un scénario
  en has exited | a journey
"""


def _french(did: str, thing: str, many: str = "") -> Act:
    not_done = re.sub(r"^(s’est|est|a)\b", lambda found: f"ne {found[1]}", did).replace("ne a", "n’a")
    not_done = not_done.replace("ne est", "n’est")
    nothing, found = re.subn(r"\bune? ", lambda article: f"auc{article[0]}", thing, count=1)
    if found:
        return Act(did, thing, f"{not_done} {nothing}", many)
    never = re.sub(r"^(n’a|n’est|ne s’est)", r"\1 jamais", not_done)
    return Act(did, thing, f"{never} {thing}", many)


def _english(did: str, thing: str, many: str = "") -> Act:
    nothing, found = re.subn(r"\ban? ", "no ", thing, count=1)
    never = f"{did} {nothing}" if found else f"{did.replace('has', 'has never', 1)} {thing}"
    return Act(did, thing, never, many)


def _read(table: str) -> dict[str, dict[str, Act]]:
    acts: dict[str, dict[str, Act]] = {}
    name = ""
    for line in table.strip().splitlines():
        if not line.startswith(" "):
            name = line
            continue
        language, _, words = line.strip().partition(" ")
        parts = [part.strip() for part in words.split("|")]
        acts.setdefault(name, {})[language] = _french(*parts) if language == "fr" else _english(*parts)
    return acts


_ACTS = _read(_TABLE)


def known() -> frozenset[str]:
    """The events that have words of their own."""
    return frozenset(_ACTS)


def act(name: str, language: str, quoted: str) -> Act:
    """What it is to do an event; a custom one is called by its name between quotation marks, `quoted`."""
    found = _ACTS.get(name)
    if found is not None:
        return found[language]
    if language == "fr":
        return Act("a fait", quoted, f"n’a jamais fait {quoted}")
    return Act("has done", quoted, f"has never done {quoted}")
