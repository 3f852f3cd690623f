/** The island `canvas`: `{% canvas … %}` leaves its element, its words and its first figures in the page. */

import "@xyflow/react/dist/style.css";
import "./canvas.css";
import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { jsonOf } from "../islands";
import { Canvas } from "./Canvas";
import type { Journey, Words } from "./journey";
import { showAround } from "./tiles";

const LONGEST_PAUSE = 30_000;

interface FreshProps {
  first: Journey;
  words: Words;
  url?: string;
  interval: number;
  host: HTMLElement;
}

function Fresh({ first, words, url, interval, host }: FreshProps) {
  const [journey, setJourney] = useState(first);
  const [stale, setStale] = useState(false);

  useEffect(() => showAround(journey), [journey]);

  useEffect(() => {
    if (!url) return;
    let timer = 0;
    let failures = 0;
    let ended = false;
    const again = (): void => {
      if (!ended) timer = window.setTimeout(read, Math.min(interval * 2 ** failures, LONGEST_PAUSE));
    };
    const read = async (): Promise<void> => {
      if (document.hidden) return again();
      try {
        const response = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (!response.ok) throw new Error(String(response.status));
        const fresh = (await response.json()) as Journey;
        failures = 0;
        setStale(false);
        // Figures of one instant only, and never an older one after a newer.
        setJourney((shown) => (fresh.as_of >= shown.as_of ? fresh : shown));
      } catch {
        failures += 1;
        if (failures > 2) setStale(true);
      }
      again();
    };
    again();
    return () => {
      ended = true;
      window.clearTimeout(timer);
    };
  }, [url, interval]);

  return <Canvas journey={journey} words={words} stale={stale} interval={interval} host={host} />;
}

export function mount(element: HTMLElement): void {
  const { data, words, url, interval } = element.dataset;
  createRoot(element).render(
    <ReactFlowProvider>
      <Fresh
        first={jsonOf<Journey>(data!)}
        words={jsonOf<Words>(words!)}
        url={url}
        interval={Number(interval ?? 2000)}
        host={element}
      />
    </ReactFlowProvider>,
  );
}
