/**
 * `data-upload` on a form with one file: it can be dropped anywhere in `.drop`, and sending it shows how far it is.
 * Without this script the form works as any other.
 */

function show(form: HTMLFormElement, share: number): void {
  const box = form.querySelector<HTMLElement>("[data-upload-progress]");
  if (!box) return;
  box.hidden = false;
  const percent = Math.round(share * 100);
  const text = box.querySelector("[data-upload-share]");
  if (text) text.textContent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(percent / 100);
  box.querySelector("[role=progressbar]")?.setAttribute("aria-valuenow", String(percent));
  const bar = box.querySelector<HTMLElement>(".progress-bar");
  if (bar) bar.style.width = `${percent}%`;
}

function send(form: HTMLFormElement): void {
  const request = new XMLHttpRequest();
  const buttons = form.querySelectorAll<HTMLButtonElement>("button[type=submit]");
  const free = (): void => buttons.forEach((button) => (button.disabled = false));
  buttons.forEach((button) => (button.disabled = true));
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) show(form, event.loaded / event.total);
  });
  request.addEventListener("load", () => {
    if (request.status < 400 && request.responseURL) {
      location.assign(request.responseURL);
      return;
    }
    // What is wrong is told in the page that came back: its form takes this one's place.
    const fresh = new DOMParser().parseFromString(request.responseText, "text/html").querySelector(`#${form.id}`);
    if (fresh) form.replaceWith(fresh);
    else location.reload();
  });
  request.addEventListener("error", () => {
    free();
    form.submit();
  });
  show(form, 0);
  request.open("POST", form.action);
  request.send(new FormData(form));
}

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (form.dataset.upload === undefined || !form.id) return;
  event.preventDefault();
  send(form);
});

function zone(event: DragEvent): HTMLElement | null {
  return (event.target as Element | null)?.closest?.<HTMLElement>(".drop") ?? null;
}

document.addEventListener("dragover", (event) => {
  const over = zone(event);
  document.querySelectorAll(".drop.is-over").forEach((each) => each !== over && each.classList.remove("is-over"));
  if (!over) return;
  event.preventDefault();
  over.classList.add("is-over");
});

document.addEventListener("dragleave", (event) => zone(event)?.classList.remove("is-over"));

document.addEventListener("drop", (event) => {
  const over = zone(event);
  const input = over?.querySelector<HTMLInputElement>("input[type=file]");
  if (!over || !input || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  over.classList.remove("is-over");
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});

export {};
