/** Choosing rows of a table, and dialogs that a page holds: by attributes, as in `frame.ts`. */

function boxes(form: string): NodeListOf<HTMLInputElement> {
  return document.querySelectorAll<HTMLInputElement>(`input[type="checkbox"][form="${form}"]`);
}

/** `data-selected="FORM"`: shown while some of the boxes that belong to the form are ticked; their number in it. */
function tell(form: string): void {
  const all = [...boxes(form)];
  const count = all.filter((box) => box.checked).length;
  for (const element of document.querySelectorAll<HTMLElement>(`[data-selected="${form}"]`)) {
    element.hidden = count === 0;
    const number = element.querySelector("[data-selected-count]");
    if (number) number.textContent = String(count);
  }
  for (const master of document.querySelectorAll<HTMLInputElement>(`[data-select-all="${form}"]`)) {
    master.checked = count > 0 && count === all.length;
    master.indeterminate = count > 0 && count < all.length;
  }
}

document.addEventListener("change", (event) => {
  const box = event.target as HTMLInputElement;
  if (box.type !== "checkbox") return;

  /** `data-select-all="FORM"` on a box: ticks those of the table, or none. */
  const form = box.dataset.selectAll;
  if (form) boxes(form).forEach((each) => (each.checked = box.checked));

  /** `data-check-all="NAME"` on a box: the boxes of that name in its own form. */
  const name = box.dataset.checkAll;
  if (name)
    box.form?.querySelectorAll<HTMLInputElement>(`input[type="checkbox"][name="${name}"]`).forEach((each) => {
      each.checked = box.checked;
    });

  const told = form ?? box.getAttribute("form");
  if (told) tell(told);
});

/** The browser's way back brings ticks with it. */
window.addEventListener("pageshow", () => {
  for (const master of document.querySelectorAll<HTMLInputElement>("[data-select-all]"))
    tell(master.dataset.selectAll ?? "");
});

/** `data-open="ID"` on a button: the dialog of that id. */
document.addEventListener("click", (event) => {
  const opener = (event.target as Element | null)?.closest<HTMLElement>("[data-open]");
  const dialog = opener && document.getElementById(opener.dataset.open ?? "");
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
});

/** Tabs that scroll sideways on a phone show the one that is open. */
for (const tab of document.querySelectorAll<HTMLElement>(".page-tabs .nav-link.active")) {
  const row = tab.closest<HTMLElement>(".page-tabs");
  if (row && row.scrollWidth > row.clientWidth) row.scrollLeft = tab.offsetLeft - row.offsetLeft - 16;
}
