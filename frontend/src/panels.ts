/** The side panel, the preview and the question before an act: one of each on every page (`ui/panels.html`). */

import { Offcanvas } from "@tabler/core/dist/js/tabler.esm.min.js";
import htmx from "htmx.org";

const byId = (id: string): HTMLElement => {
  const element = document.getElementById(id);
  if (!element) throw new Error(`No #${id} in the page`);
  return element;
};

/** Open the side panel on a fragment of HTML fetched from `url`; `page` is the address of the same as a whole page. */
export async function openPanel(title: string, url: string, page?: string): Promise<void> {
  const panel = byId("side-panel");
  const body = byId("side-panel-body");
  const link = byId("side-panel-link") as HTMLAnchorElement;
  byId("side-panel-title").textContent = title;
  link.classList.toggle("d-none", !page);
  if (page) link.href = page;
  body.replaceChildren(Object.assign(document.createElement("div"), { className: "loading" }));
  Offcanvas.getOrCreateInstance(panel).show();
  await fillWith(body, url);
}

/** Put the fragment at `url` into an element; what failed is said there in the reader's language. */
export async function fillWith(body: HTMLElement, url: string): Promise<void> {
  try {
    const response = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!response.ok) throw new Error(String(response.status));
    body.innerHTML = await response.text();
    htmx.process(body);
    body.dispatchEvent(new CustomEvent("htmx:after:swap", { bubbles: true }));
  } catch {
    const message = Object.assign(document.createElement("p"), { className: "panel-failed" });
    message.textContent = byId("side-panel-body").dataset.failed ?? "";
    body.replaceChildren(message);
  }
}

/** Show a message in a frame that may neither run scripts nor reach the page around it. */
export function openPreview(title: string, url: string): void {
  const dialog = byId("preview-dialog") as HTMLDialogElement;
  const frame = dialog.querySelector("iframe")!;
  byId("preview-title").textContent = title;
  frame.src = url;
  dialog.showModal();
  dialog.addEventListener("close", () => frame.removeAttribute("src"), { once: true });
}

/** Ask before an act; resolves to whether the reader agreed. */
export function confirmed(text: string, action?: string): Promise<boolean> {
  const dialog = byId("confirm-dialog") as HTMLDialogElement;
  const yes = byId("confirm-yes");
  byId("confirm-text").textContent = text;
  yes.textContent = action || yes.dataset.label || "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
