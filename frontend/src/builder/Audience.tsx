/** Who meets the criteria being composed: in words, how many, and some of them. */

import { useEffect, useRef, useState } from "react";
import { numberText } from "../canvas/journey";
import type { Words } from "./choices";
import type { Fault } from "./tree";

const WORDS_PAUSE_MS = 120;
const COUNT_PAUSE_MS = 350;

export interface Phrase {
  pointer: string;
  text: string;
  children: Phrase[];
}

export interface Said {
  sentence: string;
  phrases: Phrase;
  faults: Fault[];
  names: Record<string, string>;
}

interface Person {
  id: string;
  email: string | null;
  phone: string | null;
  external_id: string | null;
  first_name: string | null;
  last_name: string | null;
}

interface Found {
  as_of: string;
  count: number;
  sample: Person[];
  /** What the criteria name and the account never received. */
  warnings: Fault[];
}

async function post(url: string, body: unknown, token: string, signal: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    credentials: "same-origin",
    body: JSON.stringify(body),
    signal,
  });
}

/** The criteria in words, asked as they change; the question before is given up. */
export function useWords(url: string, criteria: unknown, segment: string, token: string): Said | null {
  const [said, setSaid] = useState<Said | null>(null);
  const text = JSON.stringify(criteria);
  useEffect(() => {
    const controller = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const response = await post(`${url}words`, { criteria, segment: segment || undefined }, token, controller.signal);
        if (response.ok) setSaid((await response.json()) as Said);
      } catch {
        // Given up for a newer question, or away for a moment: the next change asks again.
      }
    }, WORDS_PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [text, url, segment, token]);
  return said;
}

/** One sentence reads well while no group stands in another; then a list nested as they are reads better. */
const isNested = (phrase: Phrase): boolean => phrase.children.some((child) => child.children.length > 0);

function Phrases({ phrase }: { phrase: Phrase }) {
  return (
    <>
      <span className={phrase.children.length ? "phrase-group" : undefined}>
        {phrase.text}
        {phrase.children.length ? (document.documentElement.lang.startsWith("fr") ? "\u00a0:" : ":") : null}
      </span>
      {phrase.children.length ? (
        <ul>
          {phrase.children.map((child) => (
            <li key={child.pointer}>
              <Phrases phrase={child} />
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

interface Props {
  criteria: unknown;
  said: Said | null;
  words: Words;
  preview: string;
  person: string;
  token: string;
  /** The reader's time zone, as elsewhere in the page. */
  zone: string;
}

export function Audience({ criteria, said, words, preview, person, token, zone }: Props) {
  const [found, setFound] = useState<Found | null>(null);
  const [state, setState] = useState<"asking" | "known" | "refused" | "failed">("asking");
  const asked = useRef(0);
  const text = JSON.stringify(criteria);
  useEffect(() => {
    const controller = new AbortController();
    const mine = (asked.current += 1);
    setState("asking");
    const timer = window.setTimeout(async () => {
      try {
        const response = await post(preview, { criteria }, token, controller.signal);
        if (mine !== asked.current) return;
        if (response.ok) {
          setFound((await response.json()) as Found);
          setState("known");
        } else setState(response.status === 422 ? "refused" : "failed");
      } catch {
        if (!controller.signal.aborted) setState("failed");
      }
    }, COUNT_PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [text, preview, token]);

  const hour = (iso: string): string =>
    new Date(iso).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: zone, hourCycle: "h23" });
  const called = (one: Person): string =>
    [one.first_name, one.last_name].filter(Boolean).join(" ") || one.email || one.phone || one.external_id || one.id;
  return (
    <>
      <p className="sentence-lead">{words.the_contact}</p>
      {said && isNested(said.phrases) ? (
        <div className="phrases" data-sentence>
          <Phrases phrase={said.phrases} />
        </div>
      ) : (
        <p className="sentence" data-sentence>
          {said?.sentence ?? "…"}
        </p>
      )}
      <div className={`audience audience-${state}`} aria-busy={state === "asking"}>
        <div role="status">
          {state === "refused" ? <p className="audience-note">{words.to_complete}</p> : null}
          {state === "failed" ? <p className="audience-note">{words.count_failed}</p> : null}
          {found && state !== "refused" && state !== "failed" ? (
            <>
              <p className="figure-value mb-0" data-count={state === "known" ? found.count : undefined}>
                {numberText(found.count)}
              </p>
              <p className="text-secondary audience-hint">
                {found.count === 1 || (found.count === 0 && document.documentElement.lang === "fr") ? words.contact : words.contacts} ·{" "}
                {words.up_to_date!.replace("%s", hour(found.as_of))}
              </p>
            </>
          ) : null}
        </div>
        {found && state === "known" && found.warnings.length ? (
          <ul className="audience-warnings">
            {found.warnings.map((one) => (
              <li key={one.pointer}>{one.detail}</li>
            ))}
          </ul>
        ) : null}
        {found && state !== "refused" && state !== "failed" && found.sample.length ? (
          <ul className="audience-sample" aria-label={words.sample}>
            {found.sample.map((one) => (
              <li key={one.id}>
                <a href={person.replace("0", one.id)}>{called(one)}</a>
                {one.email && called(one) !== one.email ? <span className="person-email">{one.email}</span> : null}
              </li>
            ))}
          </ul>
        ) : null}
      </div>
    </>
  );
}
