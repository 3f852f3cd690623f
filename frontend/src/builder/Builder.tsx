/**
 * Criteria composed without writing JSON: it takes criteria and gives criteria.
 *
 * `onChange` tells the document and the places of its items; the faults that the server finds in it are given back as
 * `faults` and shown at the very item.
 */

import "./builder.css";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Chooser } from "./Chooser";
import { type Choices, SurroundingsContext, type Words } from "./choices";
import { type Acts, Group } from "./Group";
import { useHistory } from "./history";
import { Icon } from "./icons";
import {
  canMove, copied, type Criteria, type Fault, faultsByItem, find, type GroupItem, isGroup, moved, newGroup, newLeaf, parentOf,
  replaced, rootOf, toCriteria,
} from "./tree";

export interface BuilderProps {
  value: unknown;
  onChange: (criteria: Criteria) => void;
  choices: Choices;
  words: Words;
  /** The address of the server's part, `/criteria/`. */
  url: string;
  faults?: Fault[];
  /** Names behind ids, as "kind/id" -> name. */
  names?: Record<string, string>;
  /** Whether faults are told of what nobody touched yet, as after a refusal. */
  strict?: boolean;
}

const NO_FAULTS: Fault[] = [];

export function Builder({ value, onChange, choices, words, url, faults = NO_FAULTS, names, strict = false }: BuilderProps) {
  const history = useHistory(() => rootOf(value));
  const { now: root, change } = history;
  const [adding, setAdding] = useState("");
  const [fresh, setFresh] = useState("");
  const [said, setSaid] = useState("");
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [learned, setLearned] = useState<ReadonlyMap<string, string>>(new Map());
  const places = useMemo(() => new Map<string, string>(), [root]);
  const criteria = useMemo(() => toCriteria(root, places), [root, places]);
  const text = useMemo(() => JSON.stringify(criteria), [criteria]);
  const told = useRef(JSON.stringify(value));
  const tell = useRef(onChange);
  tell.current = onChange;

  // What comes from outside (JSON typed by hand, an example) takes the place of what was composed, and can be undone.
  const given = useMemo(() => JSON.stringify(value), [value]);
  useEffect(() => {
    if (given === told.current) return;
    told.current = given;
    change(() => rootOf(value));
  }, [given, value, change]);

  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    if (text === told.current) return;
    told.current = text;
    tell.current(criteria);
  }, [text, criteria]);

  const remember = useCallback((kind: string, id: string, name: string) => {
    setLearned((held) => (held.get(`${kind}/${id}`) === name ? held : new Map(held).set(`${kind}/${id}`, name)));
  }, []);
  const known = useMemo(() => {
    const found = new Map<string, string>(Object.entries(names ?? {}));
    for (const kind of ["list", "segment", "journey"] as const) {
      for (const item of choices[kind].items) found.set(`${kind}/${item.id}`, item.name);
    }
    for (const [key, name] of learned) found.set(key, name);
    return found;
  }, [names, choices, learned]);
  const surroundings = useMemo(() => ({ choices, words, url, names: known, remember }), [choices, words, url, known, remember]);
  const byItem = useMemo(() => faultsByItem(faults, places), [faults, places]);

  const acts: Acts = {
    change: (key, leaf) => change((held) => replaced(held, key, () => [{ key, leaf }]), key),
    setMode: (key, mode) =>
      change((held) => replaced(held, key, (item) => [isGroup(item) ? { ...item, mode } : item])),
    remove: (key) => {
      const parent = parentOf(root, key);
      const place = parent?.children.findIndex((child) => child.key === key) ?? 0;
      const next = parent?.children[place + 1] ?? parent?.children[place - 1] ?? parent;
      change((held) => replaced(held, key, () => []));
      setFresh(next?.key ?? "");
      setSaid(words.said_removed!);
    },
    duplicate: (key) => {
      const item = find(root, key);
      if (!item) return;
      const copy = copied(item);
      change((held) => replaced(held, key, (one) => [one, copy]));
      setFresh(copy.key);
      setSaid(words.said_duplicated!);
    },
    move: (key, by) => {
      change((held) => moved(held, key, by));
      setSaid(words.said_moved!);
    },
    canMove: (key, by) => canMove(root, key, by),
    addGroup: (key) => {
      const group = newGroup("any");
      change((held) => replaced(held, key, (item) => [isGroup(item) ? { ...item, children: [...item.children, group] } : item]));
      setFresh(group.key);
    },
    choose: (key) => setAdding(key),
    faultsOf: (key) => (strict || left.has(key) ? (byItem.get(key) ?? NO_FAULTS) : NO_FAULTS),
    leave: (key) => setLeft((held) => (held.has(key) ? held : new Set(held).add(key))),
    fresh,
  };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) {
      event.preventDefault();
      history.undo();
    } else if (key === "y" || (key === "z" && event.shiftKey)) {
      event.preventDefault();
      history.redo();
    }
  };

  return (
    <SurroundingsContext value={surroundings}>
      <div className="builder" onKeyDown={onKeyDown}>
        <div className="builder-tools">
          <button type="button" className="btn btn-sm btn-ghost" disabled={!history.canUndo} onClick={history.undo}>
            <Icon name="undo" />
            {words.undo}
          </button>
          <button type="button" className="btn btn-sm btn-ghost" disabled={!history.canRedo} onClick={history.redo}>
            <Icon name="redo" />
            {words.redo}
          </button>
        </div>
        <Group item={root} acts={acts} root />
        <p className="visually-hidden" role="status">
          {said}
        </p>
        {adding ? (
          <Chooser
            onClose={() => setAdding("")}
            onChoose={(leaf) => {
              const item = newLeaf(leaf);
              change((held: GroupItem) =>
                replaced(held, adding, (one) => [isGroup(one) ? { ...one, children: [...one.children, item] } : one]),
              );
              setAdding("");
              setFresh(item.key);
            }}
          />
        ) : null}
      </div>
    </SurroundingsContext>
  );
}
