/** A group of criteria, all, any, none or not all of which are to be met; groups stand in groups at will. */

import { type ReactNode, useEffect, useRef } from "react";
import { useSurroundings } from "./choices";
import { Faults } from "./Conditions";
import { Icon } from "./icons";
import { kindOf, Leaf, useTitle } from "./Leaf";
import type { Fault, GroupItem, Item, Leaf as LeafDocument, LeafItem, Mode } from "./tree";
import { isGroup } from "./tree";

export interface Acts {
  change: (key: string, leaf: LeafDocument) => void;
  setMode: (key: string, mode: Mode) => void;
  remove: (key: string) => void;
  duplicate: (key: string) => void;
  move: (key: string, by: -1 | 1) => void;
  canMove: (key: string, by: -1 | 1) => boolean;
  addGroup: (key: string) => void;
  choose: (key: string) => void;
  /** The faults of an item to be shown, those of one that is still being written left out. */
  faultsOf: (key: string) => Fault[];
  leave: (key: string) => void;
  /** The item to bring to the reader, having just been added or moved. */
  fresh: string;
}

const MODES: Mode[] = ["all", "any", "none", "not_all"];

interface ToolsProps {
  item: Item;
  title: string;
  acts: Acts;
}

function Tools({ item, title, acts }: ToolsProps) {
  const { words } = useSurroundings();
  const button = (name: string, icon: string, act: () => void, disabled = false): ReactNode => (
    <button
      type="button"
      className="btn-bare"
      aria-label={words[name]!.replace("%s", title)}
      title={words[name]!.replace("%s", title)}
      disabled={disabled}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <div className="tools">
      {button("move_up", "up", () => acts.move(item.key, -1), !acts.canMove(item.key, -1))}
      {button("move_down", "down", () => acts.move(item.key, 1), !acts.canMove(item.key, 1))}
      {button("duplicate", "copy", () => acts.duplicate(item.key))}
      {button("remove", "trash", () => acts.remove(item.key))}
    </div>
  );
}

/** Takes the reader to what was just added, at its first field. */
function useFresh(fresh: boolean) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!fresh) return;
    const first = place.current?.querySelector<HTMLElement>("input:not([type=hidden]), select, textarea") ?? place.current;
    first?.focus({ preventScroll: true });
    place.current?.scrollIntoView({ block: "nearest" });
  }, [fresh]);
  return place;
}

function LeafCard({ item, acts }: { item: LeafItem; acts: Acts }) {
  const title = useTitle(item.leaf);
  const kind = kindOf(item.leaf) ?? "field";
  const place = useFresh(acts.fresh === item.key);
  const faults = acts.faultsOf(item.key);
  return (
    <section
      ref={place}
      className={`leaf${faults.length ? " leaf-faulty" : ""}`}
      aria-label={title}
      tabIndex={-1}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) acts.leave(item.key);
      }}
    >
      <div className="leaf-head">
        <span className={`chooser-icon kind-${kind}`}>
          <Icon name={kind} />
        </span>
        <h3 className="leaf-title">{title}</h3>
        <Tools item={item} title={title} acts={acts} />
      </div>
      <Leaf leaf={item.leaf} onChange={(leaf) => acts.change(item.key, leaf)} faults={faults} />
      <Faults faults={faults.filter((fault) => fault.pointer === "")} />
    </section>
  );
}

export function Group({ item, acts, root = false }: { item: GroupItem; acts: Acts; root?: boolean }) {
  const { words } = useSurroundings();
  const place = useFresh(!root && acts.fresh === item.key);
  const joint = item.mode === "all" || item.mode === "not_all" ? words.and : words.or;
  const faults = acts.faultsOf(item.key);
  return (
    <section
      ref={place}
      className={`group mode-${item.mode}${root ? " group-root" : ""}`}
      aria-label={words[`mode_${item.mode}`]}
      tabIndex={-1}
      data-group
    >
      <div className="group-head">
        <select
          className="form-select group-mode"
          aria-label={words.group_mode}
          value={item.mode}
          onChange={(event) => acts.setMode(item.key, event.target.value as Mode)}
        >
          {MODES.map((mode) => (
            <option key={mode} value={mode}>
              {words[`mode_${mode}`]}
            </option>
          ))}
        </select>
        {root ? null : <Tools item={item} title={words.group!} acts={acts} />}
      </div>
      <Faults faults={faults} />
      {item.children.length ? (
        <ol className="members">
          {item.children.map((child, at) => (
            <li key={child.key}>
              {at ? <span className="joint">{joint}</span> : null}
              {isGroup(child) ? <Group item={child} acts={acts} /> : <LeafCard item={child} acts={acts} />}
            </li>
          ))}
        </ol>
      ) : (
        <p className="group-empty">{item.mode === "all" || item.mode === "none" ? words.empty_all : words.empty_any}</p>
      )}
      <div className="group-foot">
        <button type="button" className="btn btn-sm" onClick={() => acts.choose(item.key)}>
          <Icon name="plus" />
          {words.add_criterion}
        </button>
        <button type="button" className="btn btn-sm" onClick={() => acts.addGroup(item.key)}>
          <Icon name="group" />
          {words.add_group}
        </button>
      </div>
    </section>
  );
}
