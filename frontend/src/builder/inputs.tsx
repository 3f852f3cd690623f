/** What values are typed in. Each has its label for those who do not see its place. */

import { useEffect, useRef, useState } from "react";
import { Icon } from "./icons";
import { folded, type Option, useSurroundings } from "./choices";
import { Combo } from "./Combo";
import { END_OF_DAY, type Input } from "./operators";

export interface ValueProps {
  input: Input;
  value: unknown;
  onChange: (value: unknown) => void;
  label: string;
  invalid?: boolean;
  describedBy?: string;
  /** Values to suggest; none without it. */
  options?: (text: string, signal: AbortSignal) => Promise<Option[]>;
  /** What a value is called, when it is an id. */
  nameOf?: (value: string) => string | undefined;
  /** The values of texts are numbers. */
  numbers?: boolean;
  unit?: string;
}

const none = (): Promise<Option[]> => Promise.resolve([]);
const asText = (value: unknown): string => (["string", "number", "boolean"].includes(typeof value) ? String(value) : "");

/** The value that a text typed in full names: that of the suggestion of this name, else the text. */
async function meant(text: string, options: NonNullable<ValueProps["options"]>): Promise<string> {
  const found = await options(text, new AbortController().signal).catch(() => []);
  return found.find((one) => folded(one.label) === folded(text))?.value ?? text;
}

/** A number as typed in French or in English. */
export function readNumber(text: string): number | null {
  const plain = text.replace(/[\s\u00a0\u202f]/g, "").replace(",", ".");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

interface NumberFieldProps {
  value: unknown;
  onChange: (value: number | null) => void;
  label: string;
  invalid?: boolean;
  describedBy?: string;
  unit?: string;
}

export function NumberField({ value, onChange, label, invalid, describedBy, unit }: NumberFieldProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const french = document.documentElement.lang.startsWith("fr");
  const shown = typeof value === "number" ? String(value).replace(".", french ? "," : ".") : "";
  // What is typed stays as it is typed while it says the same number.
  useEffect(() => {
    setTyped((held) => (held !== null && readNumber(held) !== (typeof value === "number" ? value : null) ? null : held));
  }, [value]);
  return (
    <div className={unit ? "input-group input-number" : "input-number"}>
      <input
        type="text"
        inputMode="decimal"
        className={`form-control${invalid ? " is-invalid" : ""}`}
        aria-label={label}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        autoComplete="off"
        value={typed ?? shown}
        onChange={(event) => {
          setTyped(event.target.value);
          onChange(readNumber(event.target.value));
        }}
        onBlur={() => setTyped(null)}
      />
      {unit ? <span className="input-group-text">{unit}</span> : null}
    </div>
  );
}

interface LengthProps {
  value: unknown;
  onChange: (value: string) => void;
  label: string;
  invalid?: boolean;
}

export function LengthField({ value, onChange, label, invalid }: LengthProps) {
  const { words } = useSurroundings();
  const [, count = "", unit = "d"] = /^(\d*)([smhdw])$/.exec(asText(value)) ?? [];
  return (
    <div className="length">
      <input
        type="number"
        min={0}
        max={999999999}
        className={`form-control${invalid ? " is-invalid" : ""}`}
        aria-label={label}
        aria-invalid={invalid || undefined}
        value={count}
        onChange={(event) => onChange(`${event.target.value.replace(/\D/g, "").slice(0, 9)}${unit}`)}
      />
      <select
        className="form-select"
        aria-label={words.unit}
        value={unit}
        onChange={(event) => onChange(`${count}${event.target.value}`)}
      >
        {["m", "h", "d", "w", ...(unit === "s" ? ["s"] : [])].map((one) => (
          <option key={one} value={one}>
            {words[`unit_${one}`]}
          </option>
        ))}
      </select>
    </div>
  );
}

interface DateProps {
  value: unknown;
  onChange: (value: string) => void;
  label: string;
  invalid?: boolean;
  /** The last instant of the day is meant, and written. */
  end?: boolean;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day; an instant written as text (by a program) is kept, and edited as text. */
export function DateField({ value, onChange, label, invalid, end }: DateProps) {
  const written = asText(value);
  // A day alone, where its end would be meant, is the instant at which it begins: it is shown as such.
  const text = !end ? written : written.endsWith(END_OF_DAY) ? written.slice(0, 10) : DAY.test(written) ? `${written}T00:00` : written;
  const day = text === "" || DAY.test(text);
  return (
    <input
      type={day ? "date" : "text"}
      className={`form-control input-date${invalid ? " is-invalid" : ""}`}
      aria-label={label}
      aria-invalid={invalid || undefined}
      min={day ? "1900-01-01" : undefined}
      max={day ? "2299-12-31" : undefined}
      value={text}
      onChange={(event) => onChange(end && DAY.test(event.target.value) ? event.target.value + END_OF_DAY : event.target.value)}
    />
  );
}

interface ChipProps {
  text: string;
  onRemove: () => void;
}

function Chip({ text, onRemove }: ChipProps) {
  const { words } = useSurroundings();
  return (
    <span className="chip">
      {text}
      <button type="button" aria-label={words.remove_value!.replace("%s", text)} onClick={onRemove}>
        <Icon name="x" />
      </button>
    </span>
  );
}

/** Several days; one is taken once it is written in full and left, or said with Enter. */
function Days({ value, onChange, label, invalid }: ValueProps) {
  const held = Array.isArray(value) ? (value as unknown[]) : [];
  const [typed, setTyped] = useState("");
  const add = (): void => {
    if (DAY.test(typed) && typed >= "1900" && !held.includes(typed)) onChange([...held, typed]);
    setTyped("");
  };
  const said = (one: unknown): string =>
    typeof one === "string" && DAY.test(one)
      ? new Date(`${one}T00:00:00Z`).toLocaleDateString(document.documentElement.lang, { timeZone: "UTC" })
      : String(one);
  return (
    <div
      className="chips"
      onBlur={add}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !typed) return;
        event.preventDefault();
        add();
      }}
    >
      {held.map((one, place) => (
        <Chip key={`${place}-${String(one)}`} text={said(one)} onRemove={() => onChange(held.filter((_, at) => at !== place))} />
      ))}
      <DateField value={typed} onChange={setTyped} label={label} invalid={invalid} />
    </div>
  );
}

/** Yes, no, or both; what else a program may have written there is kept. */
function Flags({ value, onChange, label }: ValueProps) {
  const { words } = useSurroundings();
  const held = Array.isArray(value) ? (value as unknown[]) : [];
  const flagOf = (one: unknown): unknown => (one === "true" ? true : one === "false" ? false : one);
  return (
    <span className="flags" role="group" aria-label={label}>
      {[true, false].map((flag) => (
        <label key={String(flag)} className="form-check">
          <input
            type="checkbox"
            className="form-check-input"
            checked={held.some((one) => flagOf(one) === flag)}
            onChange={(event) => {
              const others = held.filter((one) => flagOf(one) !== flag);
              onChange(event.target.checked ? [...others, flag] : others);
            }}
          />
          <span className="form-check-label">{flag ? words.yes : words.no}</span>
        </label>
      ))}
    </span>
  );
}

export function Chips(props: ValueProps) {
  const { value, onChange, label, options = none, nameOf, numbers, invalid, describedBy } = props;
  const { words } = useSurroundings();
  const held = Array.isArray(value) ? (value as unknown[]) : [];
  const latest = useRef(held);
  latest.current = held;
  const add = async (text: string): Promise<void> => {
    const parts = (numbers ? [text] : text.split(",")).map((part) => part.trim()).filter(Boolean);
    const read = numbers ? parts.map(readNumber) : nameOf ? await Promise.all(parts.map((part) => meant(part, options))) : parts;
    const found = [...new Set<unknown>(read)].filter((one) => one !== null && !latest.current.includes(one));
    if (found.length) onChange([...latest.current, ...found]);
  };
  return (
    <div className="chips">
      {held.map((one, place) => (
        <Chip
          key={`${place}-${String(one)}`}
          text={typeof one === "boolean" ? words[one ? "yes" : "no"]! : (nameOf?.(String(one)) ?? String(one))}
          onRemove={() => onChange(held.filter((_, at) => at !== place))}
        />
      ))}
      <Combo
        label={label}
        value=""
        options={async (text, signal) => (await options(text, signal)).filter((one) => !held.includes(one.value))}
        onPick={(option) => onChange([...held, numbers ? (readNumber(option.value) ?? option.value) : option.value])}
        onEnter={(text) => void add(text)}
        onBackspace={() => held.length && onChange(held.slice(0, -1))}
        placeholder={held.length ? "" : words.several_placeholder}
        invalid={invalid}
        describedBy={describedBy}
        numeric={numbers}
      />
    </div>
  );
}

/** The value of an operator, in the input that it asks for. */
export function ValueField(props: ValueProps) {
  const { input, value, onChange, label, invalid, describedBy, options, nameOf, unit } = props;
  const { words } = useSurroundings();
  const pair = Array.isArray(value) ? (value as unknown[]) : [null, null];
  switch (input) {
    case "none":
      return null;
    case "texts":
      return <Chips {...props} />;
    case "number":
      return <NumberField {...{ value, onChange, label, invalid, describedBy, unit }} />;
    case "numbers":
      return (
        <span className="pair">
          <NumberField {...{ label: `${label} (${words.lowest})`, invalid, unit }} value={pair[0]} onChange={(one) => onChange([one, pair[1]])} />
          <span>{words.and}</span>
          <NumberField {...{ label: `${label} (${words.highest})`, invalid, unit }} value={pair[1]} onChange={(one) => onChange([pair[0], one])} />
        </span>
      );
    case "date":
      return <DateField {...{ value, onChange, label, invalid }} />;
    case "dateEnd":
      return <DateField {...{ value, onChange, label, invalid }} end />;
    case "dates":
      return (
        <span className="pair">
          <DateField {...{ label: words.first_day!, invalid }} value={pair[0]} onChange={(one) => onChange([one, pair[1]])} />
          <span>{words.and}</span>
          <DateField {...{ label: words.last_day!, invalid }} end value={pair[1]} onChange={(one) => onChange([pair[0], one])} />
        </span>
      );
    case "days":
      return <Days {...props} />;
    case "length":
      return <LengthField {...{ value, onChange, label, invalid }} />;
    case "booleans":
      return <Flags {...props} />;
    case "boolean":
      return (
        <select
          className="form-select"
          aria-label={label}
          value={value === false || value === "false" ? "false" : "true"}
          onChange={(event) => onChange(event.target.value === "true")}
        >
          <option value="true">{words.yes}</option>
          <option value="false">{words.no}</option>
        </select>
      );
    default: {
      const text = asText(value);
      const name = text ? nameOf?.(text) : undefined;
      return (
        <Combo
          label={label}
          value={name ?? text}
          options={options ?? none}
          onPick={(option) => onChange(option.value)}
          onText={(typed) => onChange(typed)}
          onLeave={nameOf && options ? (typed) => void meant(typed, options).then((one) => one !== typed && onChange(one)) : undefined}
          invalid={invalid}
          describedBy={describedBy}
        />
      );
    }
  }
}
