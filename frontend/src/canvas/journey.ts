/** What the canvas is given (see README.md): a journey's steps with their figures, at one instant. */

export interface List {
  /** A fragment of HTML for the side panel. */
  url: string;
  /** The same as a whole page. */
  page: string;
}

export interface Step {
  id: string;
  /** `entry`, or a step type of the journey document. */
  type: string;
  /** The type's name in the reader's language. */
  type_name: string;
  name: string;
  /** A line that says what the step does: "3 days", "Welcome". */
  summary?: string;
  passages: number;
  waiting: number;
  failed: number;
  lists?: { passages?: List; waiting?: List; failed?: List };
  /** Message steps: the message as a page of its own, and the quick view's fragment. */
  preview?: string;
  statistics?: string;
  /** The message's full statistics, a page opened in a new tab. */
  report?: string;
}

export interface Edge {
  from: string;
  to: string;
  label?: string;
  /** How many passed by it. */
  count?: number;
}

/** A contact that went from a step to another; without `to`, it left the journey. */
export interface Move {
  contact: string;
  from: string;
  to?: string | null;
  at: string;
}

/** A number shown elsewhere in the page, in the element `data-tile="name"`. */
export interface Tile {
  value: number;
  url: string;
}

export interface Journey {
  as_of: string;
  /** "up to date at 14:32:07", in the reader's language and zone. */
  as_of_text: string;
  steps: Step[];
  edges: Edge[];
  moves?: Move[];
  tiles?: Record<string, Tile>;
}

export interface Plural {
  one: string;
  other: string;
}

/** Everything that the canvas says by itself (`ui/templatetags/ui.py` gives it in the reader's language). */
export interface Words {
  canvas: string;
  passages: Plural;
  waiting: Plural;
  failed: Plural;
  preview: string;
  statistics: string;
  full_statistics: string;
  close: string;
  zoom_in: string;
  zoom_out: string;
  fit: string;
  stale: string;
}

/** The same text for the same figure as Django's: `Intl` groups digits as `ui/formats.py` does. */
export function numberText(value: number): string {
  return new Intl.NumberFormat(document.documentElement.lang, { useGrouping: "always" as unknown as boolean }).format(value);
}

export function plural(words: Plural, value: number): string {
  const form = new Intl.PluralRules(document.documentElement.lang).select(value);
  return form === "one" ? words.one : words.other;
}

/** What decides the drawing: while it stays, new figures move nothing. */
export function shapeOf(journey: Journey): string {
  const steps = journey.steps.map((step) => [step.id, step.type, step.name, step.summary]);
  return JSON.stringify([steps, journey.edges.map((edge) => [edge.from, edge.to, edge.label])]);
}
