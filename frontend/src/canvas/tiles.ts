/** The numbers around the canvas are of the same instant as those in it: they change together. */

import { type Journey, numberText } from "./journey";

export function showAround(journey: Journey): void {
  for (const [name, tile] of Object.entries(journey.tiles ?? {})) {
    const shown = document.querySelector(`[data-tile="${CSS.escape(name)}"] .figure-value`);
    if (!shown) continue;
    const text = numberText(tile.value);
    const link = shown.querySelector("a");
    if (link && tile.url) {
      link.href = tile.url;
      if (link.textContent !== text) link.textContent = text;
    } else if (shown.textContent?.trim() !== text || tile.url) {
      shown.replaceChildren(tile.url ? Object.assign(document.createElement("a"), { href: tile.url, textContent: text }) : text);
    }
  }
  for (const mark of document.querySelectorAll<HTMLElement>(".page-header .watermark[data-as-of]")) {
    mark.dataset.asOf = journey.as_of;
    mark.textContent = journey.as_of_text;
  }
}
