"""Every event of the contract, one row each.

The labels are those that marketers know from their present tools; they are data of the contract, in both languages
side by side, and not texts of the interface.
"""

from __future__ import annotations

from collections.abc import Iterator

from parcours.events.event_types import Filter, Words


def _filter(property: str, fr: str, en: str) -> Filter:
    return Filter(property, Words(fr, en))


_CAMPAIGN = _filter("campaign_id", "ID de la campagne publicitaire", "Ad campaign ID")
_NETWORK = _filter("network", "Réseau publicitaire", "Ad network")
_INTERACTION = _filter("interaction_type", "Type d'interaction", "Interaction type")
_PLACEMENT = _filter("placement", "Emplacement du réseau", "Network placement")
_CALL_OWNER = _filter("owner", "Propriétaire de l'appel", "Call owner")
_CALL_COUNTRY = _filter("country", "Pays de l'appel", "Call country")
_CONTENT = _filter("content_id", "ID de contenu", "Content ID")
_CTA = _filter("cta_id", "GUID du CTA", "CTA GUID")
_FORM = _filter("form_id", "ID du formulaire", "Form ID")
_UNIT = _filter("business_unit", "Unités commerciales", "Business units")
_EMAIL = _filter("email_id", "ID du contenu de l'e-mail", "E-mail content ID")
_URL = _filter("original_url", "URL originale", "Original URL")
_EVENT_NAME = _filter("name", "Nom de l'événement", "Event name")
_ORIGIN = _filter("origin", "Origine", "Origin")
_MEDIA_CONTENT = _filter("content_id", "Page de contenu", "Content page")
_MEETING_SOURCE = _filter("source", "Rendez-vous pris", "Meeting booked by")
_OUTCOME = _filter("outcome", "Résultat de la réunion", "Meeting outcome")
_MEETING_OWNER = _filter("owner", "Propriétaire du rendez-vous", "Meeting owner")
_MEETING_TYPE = _filter("type", "Type de rendez-vous", "Meeting type")
_USER = _filter("user_id", "ID de l'utilisateur", "User ID")
_ENROLLED_BY = _filter("enrolled_by", "Inscrit par l'utilisateur", "Enrolled by user")
_SEQUENCE = _filter("sequence_id", "ID de la séquence", "Sequence ID")
_TEMPLATE = _filter("template_id", "ID du modèle", "Template ID")
_PIPELINE = _filter("pipeline", "Pipeline", "Pipeline")
_STAGE = _filter("stage", "Phase", "Stage")
_FROM_STAGE = _filter("from_stage", "Phase d'origine", "Former stage")
_AMOUNT = _filter("amount", "Montant", "Amount")

#: What any event sent by a browser can be filtered on.
BROWSER_FILTERS = (
    _filter("browser", "Navigateur", "Browser"),
    _filter("content_type", "Type de contenu", "Content type"),
    _filter("country", "Pays", "Country"),
    _filter("device_type", "Type d'appareil", "Device type"),
    _filter("region", "Région", "Region"),
    _filter("url", "URL", "URL"),
    _filter("path", "Chemin", "Path"),
    _filter("utm_source", "Source UTM", "UTM source"),
    _filter("utm_medium", "Support UTM", "UTM medium"),
    _filter("utm_campaign", "Campagne UTM", "UTM campaign"),
    _filter("referrer", "Page d'origine", "Referrer"),
)

_ADS = (_CAMPAIGN, _NETWORK, _INTERACTION, _PLACEMENT)
_CALLS = (_CALL_OWNER, _CALL_COUNTRY)
_CTAS = (_CONTENT, _CTA)
_FORMS = (_CONTENT, _FORM)
_MAILS = (_UNIT, _EMAIL)
_SEQUENCES = (_ENROLLED_BY, _SEQUENCE, _TEMPLATE)
_MARKETING_EVENTS = (_EVENT_NAME, _ORIGIN)

_A = True  # an anonymous visitor can do it
_K = False  # a known contact, or the system


# fmt: off
def happening() -> Iterator[tuple[str, bool, str, str, str, str, tuple[Filter, ...]]]:
    """Those that people do or get: name, anonymous, label fr, label en, meaning fr, meaning en, filters."""
    yield (
        "ad.interacted", _A, "Interactions publicitaires", "Ad interactions",
        "Quelqu’un, connu ou non, a interagi avec une publicité d’un réseau connecté.",
        "Someone, known or not, engaged with an ad of a connected network.", _ADS,
    )
    yield (
        "call.started", _K, "Appels commencés", "Calls started",
        "Un appel avec le contact a commencé, sortant ou entrant.",
        "A call with the contact began, outgoing or incoming.", _CALLS,
    )
    yield (
        "call.ended", _K, "Appels terminés", "Calls ended",
        "Un appel avec le contact s’est terminé, sortant ou entrant.",
        "A call with the contact ended, outgoing or incoming.", _CALLS,
    )
    yield (
        "cta.viewed", _A, "CTA vus", "CTA views",
        "Un appel à l’action a été vu.", "A call to action was seen.", _CTAS,
    )
    yield (
        "cta.clicked", _A, "CTA cliqués", "CTA clicks",
        "Un appel à l’action a été cliqué.", "A call to action was clicked.", _CTAS,
    )
    yield (
        "deal.stage_changed", _K, "Phase de la transaction", "Deal stage",
        "Une transaction est entrée dans une phase, de n’importe quel pipeline.",
        "A deal entered a stage, of any pipeline.", (_PIPELINE, _STAGE, _FROM_STAGE, _AMOUNT),
    )
    yield (
        "document.viewed", _K, "Documents affichés par les contacts", "Documents viewed",
        "Le contact a commencé à consulter un document.", "The contact began viewing a document.", (),
    )
    yield (
        "document.finished", _K, "Consultation de documents terminée", "Documents finished",
        "Le contact a cessé de consulter un document.", "The contact stopped viewing a document.", (),
    )
    yield (
        "document.shared", _K, "Documents partagés avec des contacts", "Documents shared",
        "Un utilisateur a envoyé un document, par e-mail ou dans une séquence.",
        "A user sent a document, by e-mail or in a sequence.", (),
    )
    yield (
        "form.viewed", _A, "Vue du formulaire", "Form views",
        "Le formulaire est entré dans la partie visible de la page.",
        "The form came into the visible part of the page.", _FORMS,
    )
    yield (
        "form.interacted", _A, "Interaction avec le formulaire", "Form interactions",
        "Premier clic dans un champ du formulaire, ou premier champ rempli.",
        "First click in, or first filling of, a field of the form.", _FORMS,
    )
    yield (
        "form.popup_viewed", _A, "Vue du formulaire pop-up", "Pop-up form views",
        "Le navigateur a chargé un formulaire pop-up.", "The browser loaded a pop-up form.", _FORMS,
    )
    yield (
        "form.submitted", _K, "Soumission de formulaire", "Form submissions",
        "Un formulaire a été envoyé avec une adresse e-mail : c’est toujours un contact.",
        "A form was sent with an e-mail address: it is always a contact.", _FORMS,
    )
    yield (
        "email.sent", _K, "E-mails remis au serveur", "E-mails handed to the server",
        "L’e-mail a été remis au serveur d’envoi.", "The e-mail was handed to the sending server.", _MAILS,
    )
    yield (
        "email.delivered", _K, "E-mails envoyés (distribués)", "E-mails delivered",
        "L’e-mail a été distribué avec succès.", "The e-mail was delivered with success.", _MAILS,
    )
    yield (
        "email.opened", _K, "E-mails ouverts", "Opened",
        "Le contact a ouvert l’e-mail.", "The contact opened the e-mail.", _MAILS,
    )
    yield (
        "email.clicked", _K, "Liens cliqués dans l'e-mail", "Links clicked",
        "Le contact a cliqué sur un lien suivi de l’e-mail.",
        "The contact clicked a tracked link of the e-mail.", (*_MAILS, _URL),
    )
    yield (
        "email.bounced", _K, "E-mails rejetés", "Bounced",
        "L’e-mail a été refusé ou retourné.", "The e-mail was refused or returned.", _MAILS,
    )
    yield (
        "email.complained", _K, "Spam signalé", "Spam reported",
        "Le contact a signalé l’e-mail comme indésirable.", "The contact reported the e-mail as spam.", _MAILS,
    )
    yield (
        "email.subscription_updated", _K, "Statut de l'abonnement e-mail mis à jour", "Subscription updated",
        "Le consentement du contact aux e-mails a changé.", "The contact's consent to e-mail changed.", _MAILS,
    )
    yield (
        "marketing_event.registered", _K, "Inscrit à un événement marketing", "Registered",
        "Le contact s’est inscrit à un événement marketing.",
        "The contact registered for a marketing event.", _MARKETING_EVENTS,
    )
    yield (
        "marketing_event.attended", _K, "Participation à un événement marketing", "Attended",
        "Le contact a participé à un événement marketing.",
        "The contact attended a marketing event.", _MARKETING_EVENTS,
    )
    yield (
        "marketing_event.cancelled", _K, "Annulation d'un événement marketing", "Cancelled",
        "Le contact a annulé son inscription à un événement marketing.",
        "The contact cancelled a registration for a marketing event.", _MARKETING_EVENTS,
    )
    yield (
        "media.played", _A, "Média lu", "Media played",
        "Un média a été lu, par un contact ou un visiteur.",
        "A medium was played, by a contact or a visitor.", (_MEDIA_CONTENT,),
    )
    yield (
        "meeting.booked", _K, "Rendez-vous pris", "Meeting booked",
        "Un rendez-vous a été pris, par un lien ou depuis la fiche du contact.",
        "A meeting was booked, by a link or from the contact's record.",
        (_FORM, _MEETING_SOURCE, _MEETING_OWNER, _MEETING_TYPE),
    )
    yield (
        "meeting.outcome_changed", _K, "Changement de résultat de réunion", "Meeting outcome changed",
        "Le résultat d’une réunion a été fixé ou changé.",
        "The outcome of a meeting was set or changed.", (_OUTCOME, _MEETING_OWNER),
    )
    yield (
        "whatsapp.sent", _K, "Envois de messages sortants", "Sent outgoing messages",
        "Un message WhatsApp a été envoyé.", "A WhatsApp message was sent.", (),
    )
    yield (
        "whatsapp.delivered", _K, "Livraisons de messages sortants", "Delivered outgoing messages",
        "Un message WhatsApp est arrivé.", "A WhatsApp message arrived.", (),
    )
    yield (
        "whatsapp.opened", _K, "Ouvertures de messages sortants", "Opened outgoing messages",
        "Un message WhatsApp a été ouvert.", "A WhatsApp message was opened.", (),
    )
    yield (
        "whatsapp.failed", _K, "Échecs de messages sortants", "Failed outgoing messages",
        "Un message WhatsApp n’a pu être livré.", "A WhatsApp message could not be delivered.", (),
    )
    yield (
        "whatsapp.subscription_updated", _K, "Statut de l'abonnement WhatsApp mis à jour",
        "WhatsApp subscription updated",
        "Le consentement du contact à WhatsApp a changé.", "The contact's consent to WhatsApp changed.", (),
    )
    yield (
        "payment.initiated", _K, "Paiement initié", "Payment initiated",
        "Un paiement par virement bancaire a été lancé.", "A payment by bank transfer was initiated.", (),
    )
    yield (
        "payment.succeeded", _K, "Paiement réussi", "Payment succeeded",
        "Un paiement a réussi.", "A payment succeeded.", (),
    )
    yield (
        "payment.failed", _K, "Échec du paiement", "Payment failed",
        "Un paiement récurrent par carte ou par prélèvement a échoué.",
        "A recurring card or bank debit payment failed.", (),
    )
    yield (
        "payment.refund_initiated", _K, "Remboursement initié", "Refund initiated",
        "Un remboursement a été lancé.", "A refund was initiated.", (),
    )
    yield (
        "payment.refund_succeeded", _K, "Remboursement réussi", "Refund succeeded",
        "Un remboursement a réussi.", "A refund succeeded.", (),
    )
    yield (
        "payment.refund_failed", _K, "Remboursement échoué", "Refund failed",
        "Un remboursement a échoué.", "A refund failed.", (),
    )
    yield (
        "sales_email.sent", _K, "Envois — E-mail commercial", "Sent — Sales e-mail",
        "Un utilisateur a envoyé un e-mail individuel, en séquence ou non.",
        "A user sent a one-to-one e-mail, in a sequence or not.", (_USER,),
    )
    yield (
        "sales_email.opened", _K, "Ouvertures — E-mail commercial", "Opened — Sales e-mail",
        "Le contact a ouvert un e-mail individuel.", "The contact opened a one-to-one e-mail.", (_USER,),
    )
    yield (
        "sales_email.clicked", _K, "Clics — E-mail commercial", "Clicked — Sales e-mail",
        "Le contact a cliqué dans un e-mail individuel.", "The contact clicked in a one-to-one e-mail.", (_USER,),
    )
    yield (
        "sales_email.replied", _K, "Réponses — E-mail commercial", "Replied — Sales e-mail",
        "Le contact a répondu à un e-mail individuel.", "The contact replied to a one-to-one e-mail.", (_USER,),
    )
    yield (
        "sequence.enrolled", _K, "Contacts inscrits", "Contacts enrolled",
        "Le contact a été inscrit dans une séquence.", "The contact was enrolled in a sequence.", _SEQUENCES,
    )
    yield (
        "sequence.step_executed", _K, "Étapes exécutées", "Steps executed",
        "Une étape de séquence a été exécutée.", "A step of a sequence was executed.", _SEQUENCES,
    )
    yield (
        "sequence.finished", _K, "Séquences terminées", "Sequences finished",
        "La dernière étape de la séquence a été atteinte.", "The last step of the sequence was reached.", _SEQUENCES,
    )
    yield (
        "sequence.errored", _K, "Séquences erronées", "Sequences errored",
        "Une séquence s’est arrêtée sur une erreur.", "A sequence stopped on an error.", _SEQUENCES,
    )
    yield (
        "sequence.unenrolled", _K, "Contacts désinscrits", "Contacts unenrolled",
        "Le contact a quitté une séquence, pour quelque raison que ce soit.",
        "The contact left a sequence, for any reason.", _SEQUENCES,
    )
    yield (
        "sequence.unenrolled_manually", _K, "Contacts désinscrits manuellement", "Contacts unenrolled manually",
        "Un utilisateur a retiré le contact d’une séquence.",
        "A user took the contact out of a sequence.", _SEQUENCES,
    )
    yield (
        "sequence.meeting_booked", _K, "Rendez-vous pris par une séquence", "Meetings booked by a sequence",
        "Un rendez-vous a été pris grâce à une séquence.", "A meeting was booked through a sequence.", _SEQUENCES,
    )
    yield (
        "sequence.unsubscribed", _K, "Désabonnés d'un e-mail de séquence", "Unsubscribed from a sequence e-mail",
        "Le contact s’est désabonné depuis un e-mail de séquence.",
        "The contact unsubscribed from a sequence e-mail.", _SEQUENCES,
    )
    yield (
        "sequence.bounced", _K, "E-mails de séquence rejetés", "Sequence e-mails bounced",
        "Un e-mail de séquence a été rejeté.", "A sequence e-mail bounced.", _SEQUENCES,
    )
    yield (
        "sms.sent", _K, "Message court envoyé", "SMS sent",
        "Un SMS a été remis à l’opérateur.", "An SMS was handed to the operator.", (),
    )
    yield (
        "sms.delivered", _K, "Messages courts livrés", "SMS delivered",
        "Un SMS est arrivé.", "An SMS arrived.", (),
    )
    yield (
        "sms.failed", _K, "Messages courts échoués", "SMS failed",
        "Un SMS n’a pu être livré.", "An SMS could not be delivered.", (),
    )
    yield (
        "sms.dropped", _K, "Messages courts abandonnés", "SMS dropped",
        "Un SMS a été abandonné avant l’envoi.", "An SMS was dropped before it was sent.", (),
    )
    yield (
        "sms.clicked", _K, "Lien cliqué dans un message court", "SMS link clicked",
        "Le contact a cliqué sur un lien d’un SMS.", "The contact clicked a link of an SMS.", (),
    )
    yield (
        "sms.subscription_updated", _K, "Statut de l'abonnement SMS mis à jour", "SMS subscription updated",
        "Le consentement du contact aux SMS a changé.", "The contact's consent to SMS changed.", (),
    )
    yield (
        "page.viewed", _A, "Pages visitées", "Pages visited",
        "Une page du site a été visitée.", "A page of the site was visited.", (_CONTENT,),
    )
    yield (
        "social.interacted", _A, "Activité sur les réseaux sociaux", "Social activity",
        "Quelqu’un a partagé, aimé, commenté, suivi ou cliqué sur un réseau social.",
        "Someone shared, liked, commented, followed or clicked on a social network.",
        (_NETWORK, _INTERACTION),
    )
    yield (
        "order.placed", _K, "Commandes passées", "Orders placed",
        "Le contact a passé une commande.", "The contact placed an order.", (),
    )
    yield (
        "order.refunded", _K, "Commandes remboursées", "Orders refunded",
        "Une commande du contact a été remboursée.", "An order of the contact was refunded.", (),
    )
    yield (
        "order.cancelled", _K, "Commandes annulées", "Orders cancelled",
        "Une commande du contact a été annulée.", "An order of the contact was cancelled.", (),
    )
    yield (
        "cart.updated", _A, "Paniers mis à jour", "Carts updated",
        "Un panier a changé.", "A cart changed.", (),
    )
    yield (
        "product.viewed", _A, "Produits vus", "Products viewed",
        "La page d’un produit a été vue.", "A product's page was seen.", (),
    )


# fmt: on


def inside() -> Iterator[tuple[str, str, str]]:
    """Those that tell what happened inside the system: name, label fr, label en."""
    yield "contact.created", "Contact créé", "Contact created"
    yield "contact.updated", "Contact mis à jour", "Contact updated"
    yield "contact.merged", "Contact fusionné", "Contact merged"
    yield "list.joined", "Ajouté à une liste", "Joined a list"
    yield "list.left", "Retiré d’une liste", "Left a list"
    yield "segment.entered", "Entré dans un segment", "Entered a segment"
    yield "segment.left", "Sorti d’un segment", "Left a segment"
    yield "journey.entered", "Entré dans un scénario", "Entered a journey"
    yield "journey.step_entered", "Passé à une étape d’un scénario", "Entered a step of a journey"
    yield "journey.completed", "Scénario terminé", "Completed a journey"
    yield "journey.exited", "Sorti d’un scénario", "Left a journey"
