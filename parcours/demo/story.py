"""What the demonstration sets up: its messages, segments and journeys, as documents of the public interface."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

#: A recent repeat buyer bought at least twice within this many days of the last one.
RECENT_DAYS = 90
RECENT_ORDERS = 2
#: A lapsed buyer bought at least three times, but not within this many days.
LAPSED_DAYS = 270
LAPSED_ORDERS = 3
#: From this amount within the recent days, a repeat buyer is offered the club.
CLUB_AMOUNT = 100

_FRAME = """<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Georgia, 'Times New Roman', serif" />
      <mj-text font-size="16px" line-height="1.6" color="#2a2a33" />
      <mj-button background-color="#4b3fbb" color="#ffffff" border-radius="6px" font-size="16px" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f4f2ec">
    <mj-section padding="24px 0 0"><mj-column>
      <mj-text align="center" font-size="22px" color="#4b3fbb">Le Disquaire</mj-text>
    </mj-column></mj-section>
    <mj-section background-color="#ffffff" border-radius="8px" padding="24px"><mj-column>
      %s
    </mj-column></mj-section>
    <mj-section><mj-column>
      <mj-text align="center" font-size="12px" color="#6b6b76">
        Le Disquaire, 12 rue des Sillons, 69001 Lyon · <a href="{{ unsubscribe_url }}">Se désabonner</a>
      </mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>"""


def _message(name: str, subject: str, body: str, *, kind: str = "marketing") -> dict[str, Any]:
    return {
        "name": name,
        "channel": "email",
        "kind": kind,
        "subject": subject,
        "mjml": _FRAME % body,
        "from": "Le Disquaire <bonjour@disquaire.example.org>",
        "track_opens": True,
        "track_clicks": True,
    }


def _text(words: str) -> str:
    return f"<mj-text>{words}</mj-text>"


def _button(words: str, url: str) -> str:
    return f'<mj-button href="{url}">{words}</mj-button>'


def messages(*, url: str) -> dict[str, dict[str, Any]]:
    """Every message of the demonstration, by a short name; links lead to the shop page."""
    shop = f"{url}/demo/shop"
    hello = "Bonjour {{ contact.first_name | default: 'à vous' }},"
    return {
        "thanks": _message(
            "Merci de votre fidélité",
            "Merci, {{ contact.first_name }} !",
            _text(hello)
            + _text(
                "Deux disques en trois mois : vous avez l’oreille. Voici les nouveautés, avant tout le monde."
            )
            + _button("Écouter les nouveautés", f"{shop}?page=nouveautes"),
        ),
        "club": _message(
            "Invitation au club",
            "Le club vous attend, {{ contact.first_name }}",
            _text(hello)
            + _text("Au club : l’édition du mois à prix d’ami, et la livraison offerte.")
            + _button("Entrer au club", f"{shop}?page=club"),
        ),
        "come_back": _message(
            "Vous nous manquez",
            "{{ contact.first_name }}, vous nous manquez",
            _text(hello)
            + _text("Voilà longtemps que nous n’avons pas parlé musique. Les bacs ont bien changé.")
            + _button("Voir ce qui est arrivé", f"{shop}?page=retour"),
        ),
        "last_word": _message(
            "Un dernier mot",
            "Un dernier mot, {{ contact.first_name }}",
            _text(hello)
            + _text("Sans nouvelles de vous, nous vous laisserons tranquille. La porte reste ouverte.")
            + _button("Rester en contact", f"{shop}?page=rester"),
        ),
        "welcome": _message(
            "Bienvenue",
            "Bienvenue au Disquaire !",
            _text("Bienvenue !")
            + _text("Merci de votre visite. Voici de quoi commencer la collection.")
            + _button("Choisir un premier disque", f"{shop}?page=bienvenue"),
            kind="transactional",
        ),
        "first_pick": _message(
            "Un disque pour commencer",
            "Un disque pour commencer",
            _text("Vous n’avez pas encore choisi ?")
            + _text("Notre équipe a mis de côté trois disques qui plaisent à tout le monde.")
            + _button("Les écouter", f"{shop}?page=choix"),
            kind="transactional",
        ),
    }


def _orders(operator: str, number: int, since: date | None) -> dict[str, Any]:
    leaf: dict[str, Any] = {"event": "order.placed", "count": {"op": operator, "value": number}}
    if since:
        leaf["window"] = {"from": since.isoformat()}
    return leaf


def recent_since(last_day: date) -> date:
    """The first of the recent days."""
    return last_day - timedelta(days=RECENT_DAYS - 1)


def lapsed_since(last_day: date) -> date:
    """The first of the days within which a lapsed buyer bought nothing."""
    return last_day - timedelta(days=LAPSED_DAYS - 1)


def segments(*, last_day: date) -> dict[str, dict[str, Any]]:
    """The two segments; their windows begin on fixed days, so that what they hold can be told beforehand."""
    return {
        "recent": {
            "name": "Acheteurs fidèles récents",
            "criteria": _orders("gte", RECENT_ORDERS, recent_since(last_day)),
        },
        "lapsed": {
            "name": "Acheteurs perdus de vue",
            "criteria": {
                "all": [_orders("gte", LAPSED_ORDERS, None), _orders("eq", 0, lapsed_since(last_day))],
            },
        },
    }


def journeys(
    *, messages: dict[str, str], segments: dict[str, str], lists: dict[str, str], last_day: date
) -> dict[str, dict[str, Any]]:
    """The three journeys, on the ids of what they use."""
    spent = {
        "event": "order.placed",
        "window": {"from": recent_since(last_day).isoformat()},
        "sum": {"property": "subtotal", "op": "gte", "value": CLUB_AMOUNT},
    }
    loyal = {
        "name": "Remercier les fidèles",
        "entry": {
            "triggers": [{"type": "segment_entered", "segment": segments["recent"]}],
            "mode": "once",
            "include": "both",
        },
        "start": "thanks",
        "steps": [
            {
                "id": "thanks",
                "type": "send_email",
                "name": "Merci",
                "message": messages["thanks"],
                "next": "pause",
            },
            {"id": "pause", "type": "delay", "name": "Deux jours", "for": "2d", "next": "spent"},
            {
                "id": "spent",
                "type": "condition",
                "name": "A dépensé 100 $",
                "if": spent,
                "then": "club",
                "else": "note",
            },
            {
                "id": "club",
                "type": "send_email",
                "name": "Le club",
                "message": messages["club"],
                "next": "answer",
            },
            {
                "id": "answer",
                "type": "wait_for",
                "name": "Clique dans les deux jours",
                "event": "email.clicked",
                "where": [{"property": "message", "op": "eq", "value": messages["club"]}],
                "timeout": "2d",
                "then": "join",
                "else": "end",
            },
            {
                "id": "join",
                "type": "add_to_list",
                "name": "Membre du club",
                "list": lists["club"],
                "next": "end",
            },
            {
                "id": "note",
                "type": "update_contact",
                "name": "Noter : fidèle",
                "set": {"attributes.statut": "fidèle"},
                "next": "end",
            },
            {"id": "end", "type": "end", "name": "Fin"},
        ],
    }
    lapsed = {
        "name": "Reconquérir les perdus de vue",
        "entry": {
            "triggers": [{"type": "segment_entered", "segment": segments["lapsed"]}],
            "mode": "once",
            "include": "both",
        },
        "start": "come_back",
        "steps": [
            {
                "id": "come_back",
                "type": "send_email",
                "name": "Vous nous manquez",
                "message": messages["come_back"],
                "next": "answer",
            },
            {
                "id": "answer",
                "type": "wait_for",
                "name": "Clique dans les trois jours",
                "event": "email.clicked",
                "where": [{"property": "message", "op": "eq", "value": messages["come_back"]}],
                "timeout": "3d",
                "then": "interested",
                "else": "last_word",
            },
            {
                "id": "interested",
                "type": "add_to_list",
                "name": "À rappeler",
                "list": lists["interested"],
                "next": "end",
            },
            {
                "id": "last_word",
                "type": "send_email",
                "name": "Un dernier mot",
                "message": messages["last_word"],
                "next": "pause",
            },
            {"id": "pause", "type": "delay", "name": "Un jour", "for": "1d", "next": "inactive"},
            {
                "id": "inactive",
                "type": "update_contact",
                "name": "Noter : inactif",
                "set": {"attributes.statut": "inactif"},
                "next": "end",
            },
            {"id": "end", "type": "end", "name": "Fin"},
        ],
    }
    visitors = {
        "name": "Accueillir les visiteurs de la boutique",
        "entry": {
            "triggers": [
                {
                    "type": "event",
                    "event": "form.submitted",
                    "where": [{"property": "form_id", "op": "eq", "value": "shop-newsletter"}],
                }
            ],
            "mode": "multiple",
        },
        "start": "welcome",
        "steps": [
            {
                "id": "welcome",
                "type": "send_email",
                "name": "Bienvenue",
                "message": messages["welcome"],
                "next": "browse",
            },
            {
                "id": "browse",
                "type": "wait_for",
                "name": "Met un disque au panier",
                "event": "cart.updated",
                "timeout": "2d",
                "then": "chosen",
                "else": "nudge",
            },
            {
                "id": "chosen",
                "type": "add_to_list",
                "name": "Acheteurs",
                "list": lists["buyers"],
                "next": "end",
            },
            {
                "id": "nudge",
                "type": "send_email",
                "name": "Un premier disque",
                "message": messages["first_pick"],
                "next": "end",
            },
            {"id": "end", "type": "end", "name": "Fin"},
        ],
    }
    return {"loyal": loyal, "lapsed": lapsed, "visitors": visitors}


LISTS = {"club": "Club du Disquaire", "interested": "À rappeler", "buyers": "Acheteurs de la boutique"}
