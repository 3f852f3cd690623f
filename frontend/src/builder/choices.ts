/** What criteria can be composed of in the account, as the server lists it. */

import { createContext, useContext } from "react";

export interface Property {
  name: string;
  label: string;
  /** any, number or boolean. */
  type: string;
  /** Whose ids the values are: form, campaign, message… */
  kind: string;
}

export interface EventChoice {
  name: string;
  label: string;
  meaning: string;
  properties: Property[];
}

export interface FieldChoice {
  name: string;
  label: string;
  type: string;
  /** Whose ids the values are: country, language. */
  kind: string;
}

export interface Named {
  id: string;
  name: string;
}

export interface Listed {
  items: Named[];
  more: boolean;
}

export interface Choices {
  currency: string;
  timezone: string;
  operators: Record<string, string[]>;
  fields: FieldChoice[];
  attributes: FieldChoice[];
  consents: { name: string; label: string }[];
  families: { label: string; events: EventChoice[] }[];
  any_event: { name: string; properties: Property[] };
  custom: string[];
  list: Listed;
  segment: Listed;
  journey: Listed;
  tag: Listed;
}

export type NamedKind = "list" | "segment" | "journey" | "tag" | "step";

/** Everything that the builder says by itself, in the reader's language. */
export type Words = Record<string, string>;

export interface Option {
  value: string;
  label: string;
  hint?: string;
}

/** What every part of the builder needs: the choices, the words, the names behind ids, and the way to ask for more. */
export interface Surroundings {
  choices: Choices;
  words: Words;
  /** The address of the server's part: `/criteria/`. */
  url: string;
  names: ReadonlyMap<string, string>;
  remember: (kind: string, id: string, name: string) => void;
}

export const SurroundingsContext = createContext<Surroundings | null>(null);

export function useSurroundings(): Surroundings {
  const found = useContext(SurroundingsContext);
  if (!found) throw new Error("The builder's parts stand inside <Builder>.");
  return found;
}

export async function ask<T>(url: string, query: Record<string, string>, signal?: AbortSignal): Promise<T> {
  const response = await fetch(`${url}?${new URLSearchParams(query)}`, {
    headers: { Accept: "application/json" },
    credentials: "same-origin",
    signal,
  });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as T;
}

/** Values seen lately, those that are ids by their names. */
export async function suggested(around: Surroundings, kind: string, query: Record<string, string>, signal?: AbortSignal): Promise<Option[]> {
  const answer = await ask<{ values: { value: string; name: string }[] }>(`${around.url}values`, query, signal);
  return answer.values.map(({ value, name }) => {
    if (kind && name) around.remember(kind, value, name);
    return name ? { value, label: name, hint: value } : { value, label: value };
  });
}

/** Things of a kind whose name holds a text: from what is at hand, from the server when there are more. */
export async function listed(
  around: Surroundings,
  kind: NamedKind,
  search: string,
  signal?: AbortSignal,
  within = "",
): Promise<Named[]> {
  const held = kind === "step" ? null : around.choices[kind];
  if (held && !held.more) return held.items.filter((item) => folded(item.name).includes(folded(search)));
  if (held && !search) return held.items;
  return (await ask<Listed>(`${around.url}choices/${kind}`, { search, within }, signal)).items;
}

/** Without case nor accents, as the server compares names. */
export const folded = (text: string): string =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

export function eventOf(choices: Choices, name: string): EventChoice | null {
  for (const family of choices.families) {
    const found = family.events.find((event) => event.name === name);
    if (found) return found;
  }
  return null;
}

export function fieldOf(choices: Choices, name: string): FieldChoice | null {
  return [...choices.fields, ...choices.attributes].find((field) => field.name === name) ?? null;
}
