export function mount(element: HTMLElement): void { element.textContent = ""; }
