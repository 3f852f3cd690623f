/** One step: what it is, how many passed, how many wait there; a message step also its two icons. */

import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { createContext, useContext, useEffect, useRef } from "react";
import { Icon, iconOf, toneOf } from "./icons";
import { type List, numberText, plural, type Plural, type Step, type Words } from "./journey";

export type StepNodeType = Node<{ step: Step }, "step">;

export interface Surroundings {
  words: Words;
  openStatistics: (step: Step, opener: HTMLElement) => void;
}

export const SurroundingsContext = createContext<Surroundings | null>(null);

function Figure({ value, words, list, kind, title }: {
  value: number;
  words: Plural;
  list?: List;
  kind: "passages" | "waiting" | "failed";
  title: string;
}) {
  const shown = useRef<HTMLSpanElement>(null);
  const before = useRef(value);
  useEffect(() => {
    if (before.current !== value) {
      shown.current?.animate([{ transform: "translateY(-4px)", color: "#c2410c" }, { transform: "none" }], 450);
      before.current = value;
    }
  }, [value]);
  const content = (
    <>
      <span className="step-number" ref={shown}>{numberText(value)}</span> <span className="step-unit">{plural(words, value)}</span>
    </>
  );
  if (!list) return <span className={`step-figure step-${kind}`}>{content}</span>;
  return (
    <a className={`step-figure step-${kind} nodrag nopan`} href={list.page} data-panel={title} data-panel-url={list.url}>
      {content}
    </a>
  );
}

export function StepNode({ data }: NodeProps<StepNodeType>) {
  const { words, openStatistics } = useContext(SurroundingsContext)!;
  const { step } = data;
  // A step without a name of its own is known by what it does.
  const unnamed = step.name === step.type_name && step.summary;
  const name = unnamed ? step.summary! : step.name;
  const title = (what: Plural) => `${name} · ${plural(what, 2)}`;
  return (
    <section className={`step step-of-${toneOf(step.type)}`} data-step={step.id} aria-label={`${step.type_name}: ${name}`}>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <div className="step-head">
        <span className="step-icon"><Icon name={iconOf(step.type)} /></span>
        <div className="step-names">
          <p className="step-type">{step.type_name}</p>
          <p className="step-name" title={name}>{name}</p>
          {step.summary && !unnamed && <p className="step-summary" title={step.summary}>{step.summary}</p>}
        </div>
        {(step.preview || step.statistics) && (
          <div className="step-tools nodrag nopan">
            {step.preview && (
              <a className="step-tool" href={step.preview} data-preview={name} aria-label={`${words.preview} (${name})`} title={words.preview}>
                <Icon name="eye" />
              </a>
            )}
            {step.statistics && (
              <button
                type="button"
                className="step-tool"
                aria-label={`${words.statistics} (${name})`}
                title={words.statistics}
                onClick={(event) => openStatistics(step, event.currentTarget)}
              >
                <Icon name="chart-bar" />
              </button>
            )}
          </div>
        )}
      </div>
      <div className="step-figures">
        <Figure kind="passages" value={step.passages} words={words.passages} list={step.lists?.passages} title={title(words.passages)} />
        {step.waiting > 0 && (
          <Figure kind="waiting" value={step.waiting} words={words.waiting} list={step.lists?.waiting} title={title(words.waiting)} />
        )}
        {step.failed > 0 && (
          <Figure kind="failed" value={step.failed} words={words.failed} list={step.lists?.failed} title={title(words.failed)} />
        )}
      </div>
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </section>
  );
}
