/** An operator and its value: of a field, of a property of an event, of a sum. */

import { useId } from "react";
import { type Option, useSurroundings } from "./choices";
import { ValueField } from "./inputs";
import { labelOf, offered, operatorOf, type Operator, valueFor } from "./operators";
import type { Fault, Leaf } from "./tree";

interface Props {
  /** What holds `op` and `value`. */
  holder: Leaf;
  type: string;
  /** What is compared, for those who hear it. */
  subject: string;
  onChange: (next: Leaf) => void;
  faults: Fault[];
  options?: (text: string, signal: AbortSignal) => Promise<Option[]>;
  nameOf?: (value: string) => string | undefined;
  unit?: string;
}

export function Condition({ holder, type, subject, onChange, faults, options, nameOf, unit }: Props) {
  const { words } = useSurroundings();
  const id = useId();
  const operator = operatorOf(type, holder.op, holder.value);
  const isRunKey = typeof holder.value === "object" && holder.value !== null && !Array.isArray(holder.value);
  const choose = (chosen: Operator): void => {
    const { value: _value, ...rest } = holder;
    const value = valueFor(chosen.input, operator?.input, holder.value);
    onChange(value === undefined ? { ...rest, op: chosen.op } : { ...rest, op: chosen.op, value });
  };
  const groups = offered(type);
  const mine = faults.filter((fault) => fault.pointer === "/op" || fault.pointer.startsWith("/value"));
  const listOf = (operators: Operator[]) =>
    operators.map((one) => (
      <option key={one.id} value={one.id}>
        {labelOf(one, words)}
      </option>
    ));
  return (
    <>
      <select
        className="form-select operator"
        aria-label={words.operator!.replace("%s", subject)}
        value={operator?.id ?? ""}
        onChange={(event) => {
          const chosen = groups.flatMap((group) => group.operators).find((one) => one.id === event.target.value);
          if (chosen) choose(chosen);
        }}
      >
        {operator ? null : <option value="">{words[String(holder.op)] ?? "…"}</option>}
        {groups.map((group) =>
          group.title ? (
            <optgroup key={group.title} label={words[group.title]}>
              {listOf(group.operators)}
            </optgroup>
          ) : (
            listOf(group.operators)
          ),
        )}
      </select>
      {isRunKey ? (
        <span className="run-key">{words.run_key}</span>
      ) : !operator ? (
        holder.value === undefined ? null : <code>{JSON.stringify(holder.value)}</code>
      ) : (
        <ValueField
          input={operator.input}
          value={holder.value}
          onChange={(value) => onChange({ ...holder, value })}
          label={words.value!.replace("%s", subject)}
          invalid={mine.length > 0}
          describedBy={mine.length ? `${id}-faults` : undefined}
          options={options}
          nameOf={nameOf}
          numbers={type === "number" || type === "amount"}
          unit={unit}
        />
      )}
      <Faults id={`${id}-faults`} faults={mine} />
    </>
  );
}

export function Faults({ id, faults }: { id?: string; faults: Fault[] }) {
  if (!faults.length) return null;
  return (
    <ul className="faults" id={id}>
      {faults.map((fault) => (
        <li key={fault.pointer + fault.detail}>{fault.detail}</li>
      ))}
    </ul>
  );
}
