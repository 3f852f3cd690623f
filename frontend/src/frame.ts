/** The small behaviours of every page, all by attributes: no page carries a script of its own. */

import htmx from "htmx.org";
import { confirmed, openPanel, openPreview } from "./panels";

interface ConfiguredRequest {
  ctx: { request: { headers: Record<string, string>; method: string } };
}

/** Django's forgery check, on whatever htmx sends. */
document.addEventListener("htmx:config:request", (event) => {
  const { request } = (event as CustomEvent<ConfiguredRequest>).detail.ctx;
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  if (token) request.headers["X-CSRFToken"] = token;
});

/** `data-confirm="Question"` (and `data-confirm-action="Word"`) on a button or link: ask first. */
document.addEventListener(
  "click",
  (event) => {
    const target = (event.target as Element | null)?.closest<HTMLElement>("[data-confirm]");
    if (!target || target.dataset.agreed !== undefined) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void confirmed(target.dataset.confirm ?? "", target.dataset.confirmAction).then((agreed) => {
      if (!agreed) return;
      target.dataset.agreed = "";
      target.click();
      delete target.dataset.agreed;
    });
  },
  true,
);

document.addEventListener("click", (event) => {
  const from = event.target as Element | null;
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);

  /** `data-panel="Title"` on a link: its page's fragment (`data-panel-url`, else `href`) beside this page. */
  const panel = from?.closest<HTMLAnchorElement>("a[data-panel]");
  if (panel && plain) {
    event.preventDefault();
    void openPanel(panel.dataset.panel ?? "", panel.dataset.panelUrl ?? panel.href, panel.href);
  }

  /** `data-preview="Title"` on a link to a message's preview. */
  const preview = from?.closest<HTMLAnchorElement>("a[data-preview]");
  if (preview && plain) {
    event.preventDefault();
    openPreview(preview.dataset.preview ?? "", preview.href);
  }

  const copier = from?.closest<HTMLElement>("[data-copy]");
  if (copier) void copy(copier);

  from?.closest("[data-close]")?.closest("dialog")?.close();
  if (from instanceof HTMLDialogElement) from.close(); // a click beside the dialog's content
});

/** `data-autosubmit` on a form: a choice made is sent at once. */
document.addEventListener("change", (event) => {
  const field = event.target as HTMLInputElement;
  if (field.form?.dataset.autosubmit !== undefined) field.form.requestSubmit();
});

async function copy(button: HTMLElement): Promise<void> {
  const text = button.dataset.copy ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS the clipboard is closed to scripts: the old way still works.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const label = button.querySelector("[data-copy-label]");
  if (!label) return;
  const word = label.textContent;
  label.textContent = button.dataset.copied ?? word;
  setTimeout(() => (label.textContent = word), 2000);
}

/** Figures and dates that should stay fresh may say so: `data-reload="5"` fetches that part of the page again. */
setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll<HTMLElement>("[data-reload][id]")) {
    const seconds = Number(element.dataset.reload);
    const last = Number(element.dataset.reloaded ?? performance.now());
    element.dataset.reloaded ??= String(last);
    if (performance.now() - last < seconds * 1000) continue;
    element.dataset.reloaded = String(performance.now());
    void htmx.ajax("GET", element.dataset.reloadUrl ?? location.href, {
      source: element,
      target: `#${element.id}`,
      select: `#${element.id}`,
      swap: "outerHTML",
    });
  }
}, 500);

/**
 * `data-live-preview="FORM"` on a button that sends a form into a frame: pressed by itself when the page opens and
 * whenever the writer pauses. Each time the frame is a new one, so that the browser's way back does not lead
 * through every preview.
 */
const WRITER_PAUSES_MS = 700;
let pause: number | undefined;

function livePreview(form: HTMLFormElement | null | undefined): HTMLButtonElement | null {
  return form?.id ? document.querySelector<HTMLButtonElement>(`[data-live-preview="${form.id}"]`) : null;
}

document.addEventListener("input", (event) => {
  const button = livePreview((event.target as Element).closest("form"));
  if (!button) return;
  window.clearTimeout(pause);
  pause = window.setTimeout(() => button.click(), WRITER_PAUSES_MS);
});

document.addEventListener("click", (event) => {
  const button = (event.target as Element | null)?.closest<HTMLButtonElement>("[data-live-preview]");
  const frame = button && document.querySelector<HTMLIFrameElement>(`iframe[name="${button.formTarget}"]`);
  if (!frame) return;
  const fresh = frame.cloneNode() as HTMLIFrameElement;
  fresh.removeAttribute("src");
  frame.replaceWith(fresh);
});

document.querySelectorAll<HTMLButtonElement>("[data-live-preview]").forEach((button) => button.click());
