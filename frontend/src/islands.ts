/** Parts of a page that are programs: `<div data-island="canvas">`. Each is fetched only where it is used. */

type Mount = (element: HTMLElement) => void;

const islands: Record<string, () => Promise<{ mount: Mount }>> = {
  builder: () => import("./builder/main"),
  canvas: () => import("./canvas/main"),
};

export function mountIslands(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-island]:not([data-mounted])")) {
    const load = islands[element.dataset.island ?? ""];
    if (!load) continue;
    element.dataset.mounted = "";
    void load().then((island) => island.mount(element));
  }
}

/** The JSON that Django left in `<script type="application/json" id=…>`. */
export function jsonOf<T>(id: string): T {
  const script = document.getElementById(id);
  if (!script?.textContent) throw new Error(`No JSON in #${id}`);
  return JSON.parse(script.textContent) as T;
}
