/**
 * The island `builder`: composes the criteria of a form's field, and shows beside it who meets them.
 *
 * `{% builder … %}` leaves the element, its words and its choices in the page. The field itself (a textarea of JSON) is
 * the form's: it serves alone when this program does not run, and as the view for developers when it does.
 */

import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { createRoot } from "react-dom/client";
import { jsonOf } from "../islands";
import { Audience, useWords } from "./Audience";
import { Builder } from "./Builder";
import type { Choices, Words } from "./choices";
import { Icon } from "./icons";

interface Props {
  field: HTMLTextAreaElement;
  wrapper: HTMLElement;
  aside: HTMLElement | null;
  choices: Choices;
  words: Words;
  url: string;
  preview: string;
  person: string;
  segment: string;
  zone: string;
  refused: boolean;
}

function read(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const written = (criteria: unknown): string => JSON.stringify(criteria, null, 2);

function SegmentBuilder({ field, wrapper, aside, choices, words, url, preview, person, segment, zone, refused }: Props) {
  const [criteria, setCriteria] = useState<unknown>(() => read(field.value) ?? { all: [] });
  const [asJson, setAsJson] = useState(() => read(field.value) === undefined);
  const token = field.form?.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
  const said = useWords(url, criteria, segment, token);

  useEffect(() => {
    wrapper.hidden = !asJson;
    if (asJson) field.focus({ preventScroll: true });
  }, [asJson, wrapper, field]);
  useEffect(() => {
    const typed = (): void => {
      const document = read(field.value);
      if (document !== undefined) setCriteria(document);
    };
    field.addEventListener("input", typed);
    return () => field.removeEventListener("input", typed);
  }, [field]);

  return (
    <>
      <div className="builder-switch">
        <span className="form-label mb-0" id="builder-label">
          {words.criteria}
        </span>
        <button type="button" className="btn btn-sm btn-ghost" aria-pressed={asJson} onClick={() => setAsJson(!asJson)}>
          <Icon name="code" />
          JSON
        </button>
      </div>
      <div hidden={asJson}>
        <Builder
          value={criteria}
          onChange={(next) => {
            setCriteria(next);
            field.value = written(next);
          }}
          choices={choices}
          words={words}
          url={url}
          faults={said?.faults}
          names={said?.names}
          strict={refused}
        />
      </div>
      {asJson && said?.faults.length ? (
        <ul className="faults">
          {said.faults.map((fault) => (
            <li key={fault.pointer + fault.detail}>
              <code>{fault.pointer || "/"}</code> {fault.detail}
            </li>
          ))}
        </ul>
      ) : null}
      {aside ? createPortal(<Audience {...{ criteria, said, words, preview, person, token, zone }} />, aside) : null}
    </>
  );
}

export function mount(element: HTMLElement): void {
  const { field, words, choices, aside, url, preview, person, segment, zone, refused } = element.dataset;
  const input = document.getElementById(field!) as HTMLTextAreaElement;
  const wrapper = input.closest<HTMLElement>(".mb-3") ?? input;
  const side = aside ? document.getElementById(aside) : null;
  side?.replaceChildren();
  createRoot(element).render(
    <SegmentBuilder
      field={input}
      wrapper={wrapper}
      aside={side}
      words={jsonOf<Words>(words!)}
      choices={jsonOf<Choices>(choices!)}
      url={url!}
      preview={preview!}
      person={person!}
      segment={segment ?? ""}
      zone={zone!}
      refused={refused !== undefined}
    />,
  );
}
