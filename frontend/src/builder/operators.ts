/** The operators that a builder offers, by the type of what is compared, and the value that each takes. */

import type { Words } from "./choices";

/** What a value is typed in: nothing, a text, several, a number, two, the day's beginning, its end, two days, several, a duration, yes or no, either or both of them. */
export type Input = "none" | "text" | "texts" | "number" | "numbers" | "date" | "dateEnd" | "dates" | "days" | "length" | "boolean" | "booleans";

/** What follows a day to mean its last instant: a day alone is the instant at which it begins. */
export const END_OF_DAY = "T23:59:59.999";

export interface Operator {
  /** Operator and input: `gt` takes a number in one, a date in another. */
  id: string;
  op: string;
  input: Input;
}

const make = (input: Input, ...ops: string[]): Operator[] => ops.map((op) => ({ id: `${op}:${input}`, op, input }));

const TEXT = [
  ...make("text", "eq", "ne"),
  ...make("texts", "in", "not_in"),
  ...make("text", "contains", "not_contains", "starts_with", "ends_with"),
];
const NUMBER = [...make("number", "eq", "ne", "gt", "gte", "lt", "lte"), ...make("numbers", "between")];
const DATE = [
  ...make("length", "within_last", "not_within_last", "within_next", "before", "after"),
  ...make("date", "before"),
  ...make("dateEnd", "after"),
  ...make("date", "gte"),
  ...make("dateEnd", "lte"),
  ...make("date", "eq", "ne"),
  ...make("dates", "between"),
];
const DAYS = make("days", "in", "not_in");
const BOOLEAN = [...make("boolean", "eq", "ne"), ...make("booleans", "in", "not_in")];
const PRESENCE = make("none", "exists", "missing");
const SOME = make("texts", "in", "not_in");

export interface Offered {
  /** A key of the words, or none for a list without a title. */
  title: string;
  operators: Operator[];
}

const OFFERED: Record<string, Offered[]> = {
  name: [{ title: "", operators: [...TEXT, ...PRESENCE] }],
  number: [{ title: "", operators: [...NUMBER, ...SOME, ...PRESENCE] }],
  amount: [{ title: "", operators: [...NUMBER, ...SOME, ...PRESENCE] }],
  boolean: [{ title: "", operators: [...BOOLEAN, ...PRESENCE] }],
  date: [{ title: "", operators: [...DATE, ...DAYS, ...PRESENCE] }],
};
const ANY: Offered[] = [
  { title: "as_text", operators: TEXT },
  { title: "as_number", operators: NUMBER },
  { title: "as_date", operators: DATE },
  { title: "presence", operators: PRESENCE },
];

export const offered = (type: string): Offered[] => OFFERED[type] ?? ANY;

const isLength = (value: unknown): boolean => typeof value === "string" && /^\d+[smhdw]$/.test(value);

/** Which of the operators a document's `op` and `value` are. */
export function operatorOf(type: string, op: unknown, value: unknown): Operator | null {
  const bare = op === "gt" && typeof value === "string" ? "after" : op === "lt" && typeof value === "string" ? "before" : op;
  const among = offered(type).flatMap((group) => group.operators).filter((one) => one.op === bare);
  if (among.length < 2) return among[0] ?? null;
  const [first] = Array.isArray(value) ? (value as unknown[]) : [value];
  const wanted: Input[] =
    typeof first === "boolean"
      ? ["boolean", "text"]
      : typeof first === "number"
        ? ["number", "numbers"]
        : bare === "before" || bare === "after"
          ? isLength(first) ? ["length"] : ["date", "dateEnd"]
          : type === "date" || bare === "between" || bare === "gte" || bare === "lte"
            ? first === null || first === undefined
              ? ["number", "numbers", "date", "dateEnd", "dates"]
              : ["date", "dateEnd", "dates"]
            : ["text", "texts", "boolean", "number"];
  for (const input of wanted) {
    const found = among.find((one) => one.input === input);
    if (found) return found;
  }
  return among[0]!;
}

/** The value when another operator is chosen: the same where it can be. */
export function valueFor(input: Input, before: Input | undefined, value: unknown): unknown {
  if (input === before) return value;
  if (typeof value === "string" && value !== "" && isDay(input) && isDay(before)) {
    const day = value.replace(END_OF_DAY, "");
    return input === "dateEnd" && day.length === 10 ? day + END_OF_DAY : day;
  }
  return emptyValue(input);
}

const isDay = (input: Input | undefined): boolean => input === "date" || input === "dateEnd";

/** The value to begin with. */
export function emptyValue(input: Input): unknown {
  switch (input) {
    case "none":
      return undefined;
    case "texts":
    case "days":
      return [];
    case "number":
      return null;
    case "numbers":
      return [null, null];
    case "dates":
      return ["", ""];
    case "length":
      return "30d";
    case "boolean":
      return true;
    case "booleans":
      return [true];
    default:
      return "";
  }
}

export function labelOf(operator: Operator, words: Words): string {
  const own = `${operator.op}_${operator.input === "dateEnd" ? "date" : operator.input}`;
  return words[own] ?? words[operator.op] ?? operator.op;
}
