/** One criterion, edited by its kind. */

import { fieldOf, listed, type NamedKind, type Option, suggested, useSurroundings } from "./choices";
import { Combo } from "./Combo";
import { Condition, Faults } from "./Conditions";
import { EventLeaf } from "./EventLeaf";
import { Icon } from "./icons";
import { eventOf } from "./choices";
import type { Fault, Leaf as LeafDocument } from "./tree";

interface Props {
  leaf: LeafDocument;
  onChange: (leaf: LeafDocument) => void;
  faults: Fault[];
}

const KINDS = ["field", "event", "consent", "list", "tag", "segment", "journey"] as const;
export type Kind = (typeof KINDS)[number];

export const kindOf = (leaf: LeafDocument): Kind | null => KINDS.find((kind) => kind in leaf) ?? null;

/** What a criterion is about, as a title: a field's label, an event's, "List"… */
export function useTitle(leaf: LeafDocument): string {
  const { choices, words } = useSurroundings();
  const kind = kindOf(leaf);
  if (kind === "field") {
    const name = String(leaf.field);
    return fieldOf(choices, name)?.label ?? name.replace(/^attributes\./, "");
  }
  if (kind === "event") {
    const name = String(leaf.event);
    return name === "*" ? words.any_event! : (eventOf(choices, name)?.label ?? name);
  }
  return kind ? words[`kind_${kind}`]! : words.unknown!;
}

function FieldLeaf({ leaf, onChange, faults }: Props) {
  const around = useSurroundings();
  const title = useTitle(leaf);
  const name = String(leaf.field);
  const field = fieldOf(around.choices, name);
  const kind = field?.kind ?? "";
  const values = (search: string, signal: AbortSignal): Promise<Option[]> => suggested(around, kind, { field: name, search }, signal);
  return (
    <div className="leaf-fields">
      <Condition
        holder={leaf}
        type={field?.type ?? "any"}
        subject={title}
        onChange={onChange}
        faults={faults}
        options={field?.type === "date" ? undefined : values}
        nameOf={kind ? (value) => around.names.get(`${kind}/${value}`) : undefined}
      />
      <Faults faults={faults.filter((fault) => fault.pointer === "/field")} />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  choices: string[];
  prefix: string;
  onChange: (value: string) => void;
}

function Choice({ label, value, choices, prefix, onChange }: ChoiceProps) {
  const { words } = useSurroundings();
  return (
    <select className="form-select operator" aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
      {choices.map((one) => (
        <option key={one} value={one}>
          {words[`${prefix}${one}`]}
        </option>
      ))}
    </select>
  );
}

function ConsentLeaf({ leaf, onChange, faults }: Props) {
  const { words, choices } = useSurroundings();
  return (
    <div className="leaf-fields">
      <select
        className="form-select"
        aria-label={words.channel}
        value={String(leaf.consent)}
        onChange={(event) => onChange({ ...leaf, consent: event.target.value })}
      >
        {choices.consents.map((one) => (
          <option key={one.name} value={one.name}>
            {one.label}
          </option>
        ))}
      </select>
      <Choice label={words.kind_consent!} value={String(leaf.op)} choices={["eq", "ne"]} prefix="consent_" onChange={(op) => onChange({ ...leaf, op })} />
      <Choice
        label={words.consent_state!}
        value={String(leaf.value)}
        choices={["opted_in", "opted_out", "pending"]}
        prefix="state_"
        onChange={(value) => onChange({ ...leaf, value })}
      />
      <Faults faults={faults} />
    </div>
  );
}

/** A thing that has a name, found by it. */
function NamedField(props: { kind: NamedKind; value: string; onPick: (id: string) => void; within?: string; faults: Fault[]; free?: boolean }) {
  const { kind, value, onPick, within = "", faults, free } = props;
  const around = useSurroundings();
  const name = kind === "tag" ? value : around.names.get(kind === "step" ? `step/${within}/${value}` : `${kind}/${value}`);
  const options = async (search: string, signal: AbortSignal): Promise<Option[]> => {
    const found = await listed(around, kind, search, signal, within);
    return found.map((one) => ({ value: one.id, label: one.name }));
  };
  return (
    <Combo
      label={around.words[`kind_${kind}`]!}
      value={name ?? value}
      options={options}
      onPick={(option) => {
        around.remember(kind, kind === "step" ? `${within}/${option.value}` : option.value, option.label);
        onPick(option.value);
      }}
      onText={free ? onPick : undefined}
      placeholder={around.words.search_placeholder}
      invalid={faults.length > 0}
    />
  );
}

function MemberLeaf({ leaf, onChange, faults, kind }: Props & { kind: "list" | "segment" | "tag" }) {
  const ops = kind === "tag" ? ["has", "has_not"] : ["member", "not_member"];
  const { words } = useSurroundings();
  return (
    <div className="leaf-fields">
      <Choice
        label={words.operator!.replace("%s", words[`kind_${kind}`]!)}
        value={String(leaf.op)}
        choices={ops}
        prefix={`${kind}_`}
        onChange={(op) => onChange({ ...leaf, op })}
      />
      <NamedField
        kind={kind}
        value={String(leaf[kind] ?? "")}
        onPick={(id) => onChange({ ...leaf, [kind]: id })}
        faults={faults.filter((fault) => fault.pointer === `/${kind}`)}
        free={kind === "tag"}
      />
      <Faults faults={faults} />
    </div>
  );
}

function JourneyLeaf({ leaf, onChange, faults }: Props) {
  const { words } = useSurroundings();
  const journey = String(leaf.journey ?? "");
  const step = typeof leaf.step === "string" ? leaf.step : null;
  const { step: _step, ...whole } = leaf;
  return (
    <div className="leaf-fields">
      <Choice
        label={words.operator!.replace("%s", words.kind_journey!)}
        value={String(leaf.op)}
        choices={["entered", "not_entered", "active", "completed", "exited"]}
        prefix="journey_"
        onChange={(op) => onChange({ ...leaf, op })}
      />
      <NamedField
        kind="journey"
        value={journey}
        onPick={(id) => onChange({ ...whole, journey: id })}
        faults={faults.filter((fault) => fault.pointer === "/journey")}
      />
      {step === null ? (
        <button type="button" className="btn btn-sm btn-ghost" onClick={() => onChange({ ...leaf, step: "" })}>
          <Icon name="plus" />
          {words.add_step}
        </button>
      ) : (
        <span className="pair">
          <NamedField
            kind="step"
            within={journey}
            value={step}
            onPick={(id) => onChange({ ...leaf, step: id })}
            faults={faults.filter((fault) => fault.pointer === "/step")}
          />
          <button type="button" className="btn-bare" aria-label={words.remove_step} onClick={() => onChange(whole)}>
            <Icon name="x" />
          </button>
        </span>
      )}
      <Faults faults={faults} />
    </div>
  );
}

export function Leaf(props: Props) {
  const kind = kindOf(props.leaf);
  switch (kind) {
    case "field":
      return <FieldLeaf {...props} />;
    case "event":
      return <EventLeaf {...props} />;
    case "consent":
      return <ConsentLeaf {...props} />;
    case "list":
    case "segment":
    case "tag":
      return <MemberLeaf {...props} kind={kind} />;
    case "journey":
      return <JourneyLeaf {...props} />;
    default:
      return <Faults faults={props.faults} />;
  }
}
