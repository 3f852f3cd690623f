declare module "@tabler/core/dist/js/tabler.esm.min.js" {
  interface Panel {
    show(): void;
    hide(): void;
  }
  export const Offcanvas: { getOrCreateInstance(element: Element): Panel };
}
