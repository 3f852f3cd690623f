/** What a contact did: which event, of what kind, how often, when, and what its numbers amount to. */

import { useId } from "react";
import { ask, eventOf, folded, type Option, type Property, suggested, useSurroundings } from "./choices";
import { Combo } from "./Combo";
import { Condition, Faults } from "./Conditions";
import { Icon } from "./icons";
import { Chips, DateField, LengthField, NumberField } from "./inputs";
import type { Fault, Leaf } from "./tree";

interface Props {
  leaf: Leaf;
  onChange: (leaf: Leaf) => void;
  faults: Fault[];
}

const AGGREGATES = ["sum", "avg", "min", "max"];
const COUNTS = ["gte", "gt", "eq", "lte", "lt", "between", "ne", "in", "not_in"];
const isChoice = (op: unknown): boolean => op === "in" || op === "not_in";
const isObject = (value: unknown): value is Leaf => typeof value === "object" && value !== null && !Array.isArray(value);

/** The faults of what stands under a key, their pointers counted from there. */
const under = (faults: Fault[], key: string): Fault[] =>
  faults
    .filter((fault) => fault.pointer === key || fault.pointer.startsWith(`${key}/`))
    .map((fault) => ({ ...fault, pointer: fault.pointer.slice(key.length) }));

const without = (leaf: Leaf, key: string): Leaf => {
  const { [key]: _gone, ...rest } = leaf;
  return rest;
};

interface Seen {
  properties: { name: string; number: boolean }[];
}

const seenProperties = new Map<string, Promise<Seen>>();

/** The properties of an event: those of the catalogue, then those that it bore lately. */
function usePropertiesOf(event: string): { known: Property[]; find: (text: string) => Promise<Option[]>; typeOf: (name: string) => string } {
  const around = useSurroundings();
  const { choices } = around;
  const found = event === "*" ? choices.any_event : eventOf(choices, event);
  const known = found?.properties ?? [];
  const ofServer = (): Promise<Seen> => {
    const held = seenProperties.get(event) ?? ask<Seen>(`${around.url}values`, { event }).catch(() => ({ properties: [] }));
    seenProperties.set(event, held);
    return held;
  };
  const find = async (text: string): Promise<Option[]> => {
    const seen = await ofServer();
    const names = new Set(known.map((one) => one.name));
    const all = [
      ...known.map((one) => ({ value: one.name, label: one.label, hint: one.name })),
      ...seen.properties.filter((one) => !names.has(one.name)).map((one) => ({ value: one.name, label: one.name })),
    ];
    const wanted = text.toLowerCase();
    return all.filter((one) => `${one.label} ${one.value}`.toLowerCase().includes(wanted));
  };
  return { known, find, typeOf: (name) => known.find((one) => one.name === name)?.type ?? "any" };
}

interface RowProps {
  event: string;
  where: Leaf;
  onChange: (where: Leaf) => void;
  onRemove: () => void;
  faults: Fault[];
  /** The other filters: a step is chosen in the journey that one of them names. */
  journey?: string;
}

function WhereRow({ event, where, onChange, onRemove, faults, journey }: RowProps) {
  const around = useSurroundings();
  const { words, names, choices } = around;
  const { known, find, typeOf } = usePropertiesOf(event);
  const property = typeof where.property === "string" ? where.property : "";
  const own = known.find((one) => one.name === property);
  const kind = own?.kind ?? "";
  const label = own?.label ?? property;
  const values = async (search: string, signal: AbortSignal): Promise<Option[]> => {
    return property ? suggested(around, kind, { event, property, search }, signal) : [];
  };
  const nameOf = (value: string): string | undefined =>
    property === "step" && journey ? names.get(`step/${journey}/${value}`) : kind ? names.get(`${kind}/${value}`) : undefined;
  const faulty = faults.filter((fault) => fault.pointer === "/property" || fault.pointer === "");
  // A name typed in full is taken as if it had been picked: its kind tells which operators have a sense.
  const leave = (text: string): void => {
    const meant = known.find((one) => one.name === text.trim() || folded(one.label) === folded(text));
    if (meant) onChange({ ...where, property: meant.name, ...freshValue(meant.type, where) });
  };
  return (
    <div className="where">
      <Combo
        label={words.property!}
        value={label}
        options={find}
        onPick={(option) => onChange({ ...where, property: option.value, ...freshValue(typeOf(option.value), where) })}
        onText={(text) => onChange({ ...where, property: known.find((one) => one.label === text)?.name ?? text })}
        onLeave={leave}
        placeholder={words.property}
        invalid={faulty.length > 0}
      />
      <Condition
        holder={where}
        type={own?.type ?? "any"}
        subject={label}
        onChange={onChange}
        faults={faults}
        options={values}
        nameOf={kind || property === "step" ? nameOf : undefined}
        unit={isMoney(property) ? choices.currency : undefined}
      />
      <button type="button" className="btn-bare" aria-label={words.remove_filter!.replace("%s", label)} onClick={onRemove}>
        <Icon name="x" />
      </button>
      <Faults faults={faulty} />
    </div>
  );
}

const MONEY = new Set(["total", "subtotal", "revenue", "amount", "value", "price", "tax", "shipping", "discount"]);
const isMoney = (property: string): boolean => MONEY.has(property.slice(property.lastIndexOf(".") + 1));

/** The operator and the value that suit a property just chosen, when those at hand do not. */
function freshValue(type: string, where: Leaf): Leaf {
  if (where.op === "exists" || where.op === "missing") return {};
  if (type === "boolean") return typeof where.value === "boolean" ? {} : { op: "eq", value: true };
  if (type === "number") return typeof where.value === "number" ? {} : { op: "gt", value: null };
  return typeof where.value === "string" || Array.isArray(where.value) ? {} : { op: "eq", value: "" };
}

function CountFields({ leaf, onChange, faults }: Props) {
  const { words } = useSurroundings();
  const count = isObject(leaf.count) ? leaf.count : null;
  const never = count?.op === "eq" && count.value === 0;
  const value = count === null ? "some" : never ? "never" : String(count.op);
  const set = (next: Leaf | null): void => onChange(next ? { ...leaf, count: next } : without(leaf, "count"));
  const choose = (chosen: string): void => {
    if (chosen === "some") return set(null);
    if (chosen === "never") return set({ op: "eq", value: 0 });
    const [first] = Array.isArray(count?.value) ? (count.value as unknown[]) : [count?.value];
    const held = typeof first === "number" && first > 0 ? first : 2;
    if (chosen === "between") return set({ op: chosen, value: [1, Math.max(held, 2)] });
    set({ op: chosen, value: isChoice(chosen) ? [held] : held });
  };
  const pair = Array.isArray(count?.value) ? (count.value as unknown[]) : [null, null];
  const mine = under(faults, "/count");
  return (
    <span className="field-row">
      <select className="form-select" aria-label={words.how_often} value={value} onChange={(event) => choose(event.target.value)}>
        <option value="some">{words.count_some}</option>
        <option value="never">{words.count_never}</option>
        {COUNTS.map((op) => (
          <option key={op} value={op}>
            {words[`count_${op}`]}
          </option>
        ))}
      </select>
      {count && !never && count.op === "between" ? (
        <span className="pair">
          <NumberField value={pair[0]} onChange={(one) => set({ ...count, value: [one, pair[1]] })} label={words.lowest!} invalid={mine.length > 0} />
          <span>{words.and}</span>
          <NumberField value={pair[1]} onChange={(one) => set({ ...count, value: [pair[0], one] })} label={words.highest!} invalid={mine.length > 0} />
        </span>
      ) : null}
      {count && isChoice(count.op) ? (
        <Chips input="texts" numbers value={count.value} onChange={(some) => set({ ...count, value: some })} label={words.number_of_times!} invalid={mine.length > 0} />
      ) : null}
      {count && !never && !Array.isArray(count.value) && !isChoice(count.op) ? (
        <NumberField value={count.value} onChange={(one) => set({ ...count, value: one })} label={words.number_of_times!} invalid={mine.length > 0} />
      ) : null}
      {count && !never ? <span className="text-secondary">{words.times}</span> : null}
      <Faults faults={mine} />
    </span>
  );
}

function WindowFields({ leaf, onChange, faults }: Props) {
  const { words } = useSurroundings();
  const window = isObject(leaf.window) ? leaf.window : null;
  const value = window === null ? "ever" : "last" in window ? "last" : "between";
  const set = (next: Leaf | null): void => onChange(next ? { ...leaf, window: next } : without(leaf, "window"));
  const setBound = (key: string, text: string): void => {
    const bounds: Leaf = { ...window };
    if (text) bounds[key] = text;
    else delete bounds[key];
    set(bounds);
  };
  const mine = under(faults, "/window");
  return (
    <span className="field-row">
      <select
        className="form-select"
        aria-label={words.when}
        value={value}
        onChange={(event) => {
          if (event.target.value === "ever") set(null);
          else set(event.target.value === "last" ? { last: "30d" } : { from: new Date().toISOString().slice(0, 10) });
        }}
      >
        <option value="ever">{words.window_ever}</option>
        <option value="last">{words.window_last}</option>
        <option value="between">{words.window_between}</option>
      </select>
      {value === "last" ? (
        <LengthField value={window?.last} onChange={(last) => set({ last })} label={words.duration!} invalid={mine.length > 0} />
      ) : null}
      {value === "between" ? (
        <span className="pair">
          <DateField value={window?.from} onChange={(text) => setBound("from", text)} label={words.first_day!} invalid={mine.some((one) => one.pointer === "/from")} />
          <span>{words.to}</span>
          <DateField value={window?.to} onChange={(text) => setBound("to", text)} label={words.last_day!} invalid={mine.some((one) => one.pointer === "/to")} />
        </span>
      ) : null}
      <Faults faults={mine} />
    </span>
  );
}

function AggregateFields({ leaf, onChange, faults }: Props) {
  const { words, choices } = useSurroundings();
  const kind = AGGREGATES.find((one) => one in leaf);
  const { known, find } = usePropertiesOf(String(leaf.event));
  if (!kind) return null;
  const asked = isObject(leaf[kind]) ? leaf[kind] : {};
  const property = typeof asked.property === "string" ? asked.property : "";
  const label = known.find((one) => one.name === property)?.label ?? property;
  const mine = under(faults, `/${kind}`);
  return (
    <div className="where">
      <select
        className="form-select operator"
        aria-label={words.calculation}
        value={kind}
        onChange={(event) => onChange({ ...without(leaf, kind), [event.target.value]: asked })}
      >
        {AGGREGATES.map((one) => (
          <option key={one} value={one}>
            {words[`aggregate_${one}`]}
          </option>
        ))}
      </select>
      <Combo
        label={words.property!}
        value={label}
        options={async (text) => (await find(text)).filter((one) => (known.find((own) => own.name === one.value)?.type ?? "number") === "number")}
        onPick={(option) => onChange({ ...leaf, [kind]: { ...asked, property: option.value } })}
        onText={(text) => onChange({ ...leaf, [kind]: { ...asked, property: known.find((one) => one.label === text)?.name ?? text } })}
        placeholder={words.property}
        invalid={mine.some((one) => one.pointer === "/property")}
      />
      <Condition
        holder={asked}
        type="amount"
        subject={words[`aggregate_${kind}`]!}
        onChange={(next) => onChange({ ...leaf, [kind]: next })}
        faults={mine}
        unit={isMoney(property) ? choices.currency : undefined}
      />
      <button type="button" className="btn-bare" aria-label={words.remove_calculation} onClick={() => onChange(without(leaf, kind))}>
        <Icon name="x" />
      </button>
      <Faults faults={mine.filter((one) => one.pointer === "/property" || one.pointer === "")} />
    </div>
  );
}

export function EventLeaf({ leaf, onChange, faults }: Props) {
  const { words, choices } = useSurroundings();
  const id = useId();
  const name = String(leaf.event ?? "");
  const event = eventOf(choices, name);
  const where = Array.isArray(leaf.where) ? (leaf.where as Leaf[]) : [];
  const journey = where.find((one) => one?.property === "journey")?.value;
  const setWhere = (next: Leaf[]): void => onChange(next.length ? { ...leaf, where: next } : without(leaf, "where"));
  const main = event?.properties.find((one) => one.type === "number")?.name ?? "";
  return (
    <div className="event-leaf">
      {event?.meaning ? (
        <p className="leaf-meaning" id={`${id}-meaning`}>
          {event.meaning}
        </p>
      ) : null}
      <div className="field-rows">
        <CountFields {...{ leaf, onChange, faults }} />
        <WindowFields {...{ leaf, onChange, faults }} />
      </div>
      {where.map((one, place) => (
        <WhereRow
          key={place}
          event={name}
          where={isObject(one) ? one : {}}
          journey={typeof journey === "string" ? journey : undefined}
          onChange={(next) => setWhere(where.map((held, at) => (at === place ? next : held)))}
          onRemove={() => setWhere(where.filter((_, at) => at !== place))}
          faults={under(faults, `/where/${place}`)}
        />
      ))}
      <AggregateFields {...{ leaf, onChange, faults }} />
      <div className="leaf-more">
        <button type="button" className="btn btn-sm btn-ghost" onClick={() => setWhere([...where, { property: "", op: "eq", value: "" }])}>
          <Icon name="filter" />
          {words.add_filter}
        </button>
        {AGGREGATES.some((one) => one in leaf) ? null : (
          <button
            type="button"
            className="btn btn-sm btn-ghost"
            onClick={() => onChange({ ...leaf, sum: { property: main, op: "gt", value: null } })}
          >
            <Icon name="sum" />
            {words.add_calculation}
          </button>
        )}
      </div>
      <Faults faults={faults.filter((fault) => fault.pointer === "/event" || fault.pointer === "/scope")} />
    </div>
  );
}
