/** Criteria as they are composed: a tree of groups and leaves, each with a key of its own while it is edited. */

export type Leaf = Record<string, unknown>;
export type Criteria = Record<string, unknown>;
/** all, any, not any, not all: every group that `all`, `any` and `not` can write. */
export type Mode = "all" | "any" | "none" | "not_all";

export interface LeafItem {
  key: string;
  leaf: Leaf;
}

export interface GroupItem {
  key: string;
  mode: Mode;
  children: Item[];
}

export type Item = LeafItem | GroupItem;

let last = 0;
export const newKey = (): string => `c${(last += 1)}`;
export const isGroup = (item: Item): item is GroupItem => "mode" in item;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const newGroup = (mode: Mode = "any", children: Item[] = []): GroupItem => ({ key: newKey(), mode, children });
export const newLeaf = (leaf: Leaf): LeafItem => ({ key: newKey(), leaf });

function groupOf(document: unknown): [Mode, unknown[]] | null {
  if (!isObject(document)) return null;
  if (Array.isArray(document.all)) return ["all", document.all];
  if (Array.isArray(document.any)) return ["any", document.any];
  if (!("not" in document)) return null;
  const inner = document.not;
  if (isObject(inner) && Array.isArray(inner.any)) return ["none", inner.any];
  if (isObject(inner) && Array.isArray(inner.all)) return ["not_all", inner.all];
  return ["none", [inner]];
}

/** The tree of a document; what is no object becomes an empty leaf, whose fault the server tells. */
export function fromCriteria(document: unknown): Item {
  const group = groupOf(document);
  if (group) return newGroup(group[0], group[1].map(fromCriteria));
  return newLeaf(isObject(document) ? document : {});
}

/** The same with a group at its root, where more can be added. */
export function rootOf(document: unknown): GroupItem {
  const item = fromCriteria(document);
  return isGroup(item) ? item : newGroup("all", [item]);
}

/** The document of a tree; `places` receives the JSON Pointer of each item. */
export function toCriteria(item: Item, places: Map<string, string> = new Map(), pointer = ""): Criteria {
  places.set(pointer, item.key);
  if (!isGroup(item)) return item.leaf;
  const [only] = item.children;
  if (item.mode === "none" && item.children.length === 1 && only && !isGroup(only)) {
    // The leaf's own place comes last: a fault there is told beside it.
    return { not: toCriteria(only, places, `${pointer}/not`) };
  }
  const kind = item.mode === "all" || item.mode === "not_all" ? "all" : "any";
  const negated = item.mode === "none" || item.mode === "not_all";
  const at = `${pointer}${negated ? "/not" : ""}/${kind}`;
  const inner = { [kind]: item.children.map((child, place) => toCriteria(child, places, `${at}/${place}`)) };
  return negated ? { not: inner } : inner;
}

export interface Fault {
  pointer: string;
  detail: string;
}

/** The faults of each item by its key, their pointers counted from the item. */
export function faultsByItem(faults: Fault[], places: Map<string, string>): Map<string, Fault[]> {
  const found = new Map<string, Fault[]>();
  for (const fault of faults) {
    let at = fault.pointer;
    while (at && !places.has(at)) at = at.slice(0, at.lastIndexOf("/"));
    const key = places.get(at);
    if (!key) continue;
    found.set(key, [...(found.get(key) ?? []), { pointer: fault.pointer.slice(at.length), detail: fault.detail }]);
  }
  return found;
}

/** The tree with one item changed (to none, one or several). */
export function replaced(root: GroupItem, key: string, by: (item: Item) => Item[]): GroupItem {
  const walk = (group: GroupItem): GroupItem => ({
    ...group,
    children: group.children.flatMap((child) => {
      if (child.key === key) return by(child);
      return [isGroup(child) ? walk(child) : child];
    }),
  });
  if (root.key !== key) return walk(root);
  const [first] = by(root);
  return first && isGroup(first) ? first : root;
}

export function parentOf(root: GroupItem, key: string): GroupItem | null {
  for (const child of root.children) {
    if (child.key === key) return root;
    const inside = isGroup(child) ? parentOf(child, key) : null;
    if (inside) return inside;
  }
  return null;
}

export function find(item: Item, key: string): Item | null {
  if (item.key === key) return item;
  if (!isGroup(item)) return null;
  for (const child of item.children) {
    const found = find(child, key);
    if (found) return found;
  }
  return null;
}

/** One item up or down among its siblings; from an end of a group that is inside another, out of it. */
export function moved(root: GroupItem, key: string, by: -1 | 1): GroupItem {
  const parent = parentOf(root, key);
  if (!parent) return root;
  const place = parent.children.findIndex((child) => child.key === key);
  const item = parent.children[place]!;
  const target = place + by;
  if (target >= 0 && target < parent.children.length) {
    const children = [...parent.children];
    children.splice(place, 1);
    children.splice(target, 0, item);
    return replaced(root, parent.key, () => [{ ...parent, children }]);
  }
  if (parent.key === root.key) return root;
  const left = { ...parent, children: parent.children.filter((child) => child.key !== key) };
  return replaced(root, parent.key, () => (by < 0 ? [item, left] : [left, item]));
}

export const canMove = (root: GroupItem, key: string, by: -1 | 1): boolean => moved(root, key, by) !== root;

/** A copy with keys of its own. */
export function copied(item: Item): Item {
  return isGroup(item)
    ? newGroup(item.mode, item.children.map(copied))
    : newLeaf(JSON.parse(JSON.stringify(item.leaf)) as Leaf);
}

export function countOf(item: Item): number {
  return isGroup(item) ? item.children.reduce((sum, child) => sum + countOf(child), 0) : 1;
}
