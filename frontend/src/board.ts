/** The board of deals: a card dragged to another column moves its deal; rows of a form that go up and down. */

import htmx from "htmx.org";
import "./board.css";

let dragged: HTMLElement | null = null;

const within = (event: Event, selector: string): HTMLElement | null =>
  (event.target as Element | null)?.closest<HTMLElement>(selector) ?? null;

document.addEventListener("dragstart", (event) => {
  const card = within(event, ".board-card");
  if (!card || !event.dataTransfer) return;
  dragged = card;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.dataset.deal ?? "");
  card.classList.add("is-dragged");
});

document.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  document.querySelectorAll(".board-column.is-over").forEach((column) => column.classList.remove("is-over"));
  dragged = null;
});

document.addEventListener("dragover", (event) => {
  const column = within(event, ".board-column");
  if (!dragged || !column) return;
  event.preventDefault();
  document.querySelectorAll(".board-column.is-over").forEach((other) => {
    if (other !== column) other.classList.remove("is-over");
  });
  column.classList.add("is-over");
});

document.addEventListener("drop", (event) => {
  const column = within(event, ".board-column");
  if (!dragged || !column) return;
  event.preventDefault();
  const from = dragged.closest(".board-column");
  if (from !== column) void move(dragged, column);
});

/** Show the card in its new column at once; take it back, with the reason, when the server refuses. */
async function move(card: HTMLElement, column: HTMLElement): Promise<void> {
  const board = column.closest<HTMLElement>("[data-board]");
  const place = { parent: card.parentElement, next: card.nextElementSibling };
  column.querySelector("[data-cards]")?.prepend(card);
  const said = await send(card.dataset.move ?? "", column.dataset.stage ?? "");
  const status = document.querySelector<HTMLElement>("[data-board-status]");
  if (said !== null) {
    place.parent?.insertBefore(card, place.next);
    if (status) status.textContent = said || (board?.dataset.failed ?? "");
    status?.classList.remove("visually-hidden");
    return;
  }
  if (status && board) {
    const name = card.querySelector(".board-card-name")?.textContent ?? "";
    status.classList.add("visually-hidden");
    status.textContent = (board.dataset.moved ?? "").replace("{deal}", name).replace("{stage}", column.dataset.name ?? "");
  }
  await htmx.ajax("GET", location.href, { target: "[data-board]", select: "[data-board]", swap: "outerHTML" });
}

/** Answers null when the deal moved, else the reason ("" when there is none to show). */
async function send(url: string, stage: string): Promise<string | null> {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": token, "HX-Request": "true" },
      body: new URLSearchParams({ stage }),
    });
    if (answer.ok) return null;
    return answer.status === 422 ? await answer.text() : "";
  } catch {
    return "";
  }
}

/** `data-row-up`, `data-row-down` on a button: its `data-row` changes place with its neighbour. */
document.addEventListener("click", (event) => {
  const button = within(event, "[data-row-up], [data-row-down]");
  const row = button?.closest("[data-row]");
  if (!button || !row) return;
  if (button.dataset.rowUp !== undefined) row.previousElementSibling?.before(row);
  else row.nextElementSibling?.after(row);
  button.focus();
});
