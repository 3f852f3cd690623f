/** What to add: every field, event, list, tag, segment and journey, by its name or its meaning. */

import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { type Choices, folded, listed, type NamedKind, useSurroundings, type Words } from "./choices";
import { Icon } from "./icons";
import { emptyValue, offered } from "./operators";
import type { Leaf } from "./tree";

interface Entry {
  id: string;
  section: string;
  /** What narrows the list to it: field, event, list… */
  kind: string;
  label: string;
  meaning: string;
  /** Its name to programs, which is searched too. */
  code: string;
  leaf: Leaf;
}

const NAMED: NamedKind[] = ["list", "segment", "journey", "tag"];
const KINDS = ["field", "event", "consent", ...NAMED];
const MOST_SHOWN = 300;

/** A criterion on a field as it begins. */
export function fieldLeaf(name: string, type: string): Leaf {
  const [first] = offered(type)[0]!.operators;
  const value = emptyValue(first!.input);
  return value === undefined ? { field: name, op: first!.op } : { field: name, op: first!.op, value };
}

function namedLeaf(kind: NamedKind, id: string): Leaf {
  if (kind === "tag") return { tag: id, op: "has" };
  return kind === "journey" ? { journey: id, op: "entered" } : { [kind]: id, op: "member" };
}

function entriesOf(choices: Choices, words: Words): Entry[] {
  const found: Entry[] = [];
  const add = (section: string, kind: string, code: string, label: string, meaning: string, leaf: Leaf): void => {
    found.push({ id: `${kind}-${code}`, section, kind, label, meaning, code, leaf });
  };
  for (const one of choices.fields) add(words.section_fields!, "field", one.name, one.label, "", fieldLeaf(one.name, one.type));
  for (const one of choices.attributes) add(words.section_attributes!, "field", one.name, one.label, "", fieldLeaf(one.name, one.type));
  for (const one of choices.consents) {
    const label = words.consent_to!.replace("%s", one.label);
    add(words.kind_consent!, "consent", one.name, label, "", { consent: one.name, op: "eq", value: "opted_in" });
  }
  for (const family of choices.families) {
    for (const one of family.events) add(family.label, "event", one.name, one.label, one.meaning, { event: one.name });
  }
  const ofCampaign = { event: "*", where: [{ property: "campaign_id", op: "eq", value: "" }] };
  add(words.campaigns!, "event", "campaign_id", words.campaigns!, words.campaigns_meaning!, ofCampaign);
  add(words.section_other!, "event", "*", words.any_event!, words.any_event_meaning!, { event: "*" });
  for (const name of choices.custom) add(words.section_custom!, "event", name, name, "", { event: name });
  return found;
}

interface Props {
  onChoose: (leaf: Leaf) => void;
  onClose: () => void;
}

export function Chooser({ onChoose, onClose }: Props) {
  const around = useSurroundings();
  const { choices, words } = around;
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [search, setSearch] = useState("");
  const [kind, setKind] = useState("");
  const [active, setActive] = useState(0);
  const [named, setNamed] = useState<Entry[]>([]);
  const fixed = useMemo(() => entriesOf(choices, words), [choices, words]);

  useEffect(() => {
    dialog.current?.showModal();
    field.current?.focus();
  }, []);

  useEffect(() => {
    const controller = new AbortController();
    const timer = window.setTimeout(async () => {
      const lists = await Promise.all(
        NAMED.map(async (one) => {
          const items = await listed(around, one, search, controller.signal).catch(() => []);
          return items.map((item) => ({
            id: `${one}-${item.id}`, section: words[`section_${one}`]!, kind: one, label: item.name, meaning: "", code: "",
            leaf: namedLeaf(one, item.id),
          }));
        }),
      );
      if (!controller.signal.aborted) setNamed(lists.flat());
    }, search ? 150 : 0);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
    // The names that are learned meanwhile change nothing of what is listed.
  }, [search]);

  const shown = useMemo(() => {
    const wanted = folded(search).split(/\s+/).filter(Boolean);
    const fits = (entry: Entry): boolean => {
      const text = folded(`${entry.label} ${entry.meaning} ${entry.code} ${entry.section}`);
      return wanted.every((word) => text.includes(word));
    };
    const all = [...fixed.filter(fits), ...named].filter((entry) => !kind || entry.kind === kind);
    const text = search.trim();
    // The best first: a label that begins with what is typed, then one that holds it.
    const rank = (entry: Entry): number => {
      const label = folded(entry.label);
      return !text ? 0 : label.startsWith(folded(text)) ? 0 : label.includes(folded(text)) ? 1 : 2;
    };
    const sorted = text ? [...all].sort((a, b) => rank(a) - rank(b)) : all;
    const order = [...new Set(sorted.map((entry) => entry.section))];
    const grouped = order.flatMap((section) => sorted.filter((entry) => entry.section === section)).slice(0, MOST_SHOWN);
    if (text && !choices.custom.includes(text) && (!kind || kind === "event") && text.length <= 255) {
      grouped.push({
        id: "custom", section: words.section_custom!, kind: "event", label: words.custom_event!.replace("%s", text),
        meaning: words.custom_event_meaning!, code: text, leaf: { event: text },
      });
    }
    return grouped;
  }, [fixed, named, search, kind, choices, words]);

  useEffect(() => setActive(0), [search, kind]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const choose = (entry: Entry): void => {
    if (NAMED.includes(entry.kind as NamedKind)) around.remember(entry.kind, entry.id.slice(entry.kind.length + 1), entry.label);
    onChoose(entry.leaf);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const by = moves[event.key];
    if (by !== undefined && shown.length) {
      event.preventDefault();
      setActive((at) => Math.min(Math.max(at + by, 0), shown.length - 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const entry = shown[active];
      if (entry) choose(entry);
    }
  };

  return (
    <dialog
      ref={dialog}
      className="chooser"
      aria-labelledby={`${id}-title`}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className="chooser-head">
        <h2 className="chooser-title" id={`${id}-title`}>
          {words.add_criterion}
        </h2>
        <button type="button" className="btn-close" aria-label={words.close} onClick={() => dialog.current?.close()} />
      </div>
      <div className="chooser-search">
        <Icon name="search" />
        <input
          ref={field}
          type="text"
          role="combobox"
          className="form-control"
          aria-label={words.search_criterion}
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={shown[active] ? `${id}-${active}` : undefined}
          autoComplete="off"
          placeholder={words.search_criterion}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <div className="chooser-kinds" role="group" aria-label={words.kinds}>
        {["", ...KINDS].map((one) => (
          <button key={one} type="button" aria-pressed={kind === one} className="chooser-kind" onClick={() => setKind(one)}>
            {one ? words[`many_${one}`] : words.everything}
          </button>
        ))}
      </div>
      <div ref={list} id={`${id}-list`} role="listbox" aria-label={words.add_criterion} className="chooser-list" tabIndex={-1}>
        {shown.map((entry, place) => (
          <div key={entry.id} role="presentation">
            {entry.section !== shown[place - 1]?.section ? (
              <div className="chooser-section" role="presentation">
                {entry.section}
              </div>
            ) : null}
            <div
              id={`${id}-${place}`}
              role="option"
              aria-selected={place === active}
              className="chooser-entry"
              onPointerMove={() => setActive(place)}
              onClick={() => choose(entry)}
            >
              <span className={`chooser-icon kind-${entry.kind}`}>
                <Icon name={entry.kind} />
              </span>
              <span>
                {entry.label}
                {entry.meaning ? <span className="chooser-meaning">{entry.meaning}</span> : null}
              </span>
            </div>
          </div>
        ))}
      </div>
      {shown.length ? null : <p className="chooser-none">{words.nothing_found}</p>}
    </dialog>
  );
}
