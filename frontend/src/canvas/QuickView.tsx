/** A message step's figures at a glance, and the way to its full statistics. */

import { useEffect, useRef, useState } from "react";
import { fillWith } from "../panels";
import { Icon } from "./icons";
import type { Step, Words } from "./journey";

interface QuickViewProps {
  step: Step;
  words: Words;
  close: () => void;
  host: HTMLElement;
  opener: HTMLElement | null;
}

const WIDTH = 360;
const HEIGHT = 330;
const GAP = 10;

/** Below the icon that opened it, within the drawing. (On a phone the style sheet puts it at the bottom.) */
function placeOf(host: HTMLElement, opener: HTMLElement | null): { left: number; top: number } {
  const around = host.getBoundingClientRect();
  const from = opener?.getBoundingClientRect() ?? around;
  const left = Math.min(from.right - around.left + GAP, around.width - WIDTH - GAP);
  const top = Math.min(from.top - around.top, around.height - HEIGHT - GAP);
  return { left: Math.max(GAP, left), top: Math.max(GAP, top) };
}

export function QuickView({ step, words, close, host, opener }: QuickViewProps) {
  const [place] = useState(() => placeOf(host, opener));
  const body = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (body.current && step.statistics) void fillWith(body.current, step.statistics);
    box.current?.focus({ preventScroll: true });
  }, [step.id, step.statistics]);

  return (
    <div
      className="quick-view"
      role="dialog"
      aria-label={`${words.statistics}: ${step.name}`}
      tabIndex={-1}
      style={place}
      ref={box}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <div className="quick-view-head">
        <p className="quick-view-title">{step.name}</p>
        <button type="button" className="step-tool" aria-label={words.close} onClick={close}><Icon name="x" /></button>
      </div>
      <div className="quick-view-body" ref={body}><div className="loading" /></div>
      {step.report && (
        <div className="quick-view-foot">
          <a href={step.report} target="_blank" rel="noopener">{words.full_statistics}</a>
        </div>
      )}
    </div>
  );
}
