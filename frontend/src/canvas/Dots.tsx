/** Contacts on their way: each move since the last figures is a dot that runs along its line. */

import { ViewportPortal } from "@xyflow/react";
import { useEffect, useRef, useState } from "react";
import type { Move } from "./journey";
import { type Layout, NODE_HEIGHT, pathOf, wayBetween } from "./layout";

const MOST_AT_ONCE = 60;
const MOST_REMEMBERED = 5000;

interface Dot {
  key: string;
  path: string;
  delay: number;
  leaving: boolean;
}

const nameOf = (move: Move): string => [move.contact, move.from, move.to ?? "", move.at].join("\n");

export function Dots({ moves, layout, interval }: { moves: Move[]; layout: Layout; interval: number }) {
  const [dots, setDots] = useState<Dot[]>([]);
  const seen = useRef<Set<string> | null>(null);

  useEffect(() => {
    if (seen.current === null) {
      // What had happened before the page was opened is history, not motion.
      seen.current = new Set(moves.map(nameOf));
      return;
    }
    const fresh = moves.filter((move) => !seen.current!.has(nameOf(move)));
    for (const move of fresh) seen.current.add(nameOf(move));
    if (seen.current.size > MOST_REMEMBERED) seen.current = new Set(moves.map(nameOf));
    if (!fresh.length || matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden) return;
    const shown = fresh.sort((a, b) => a.at.localeCompare(b.at)).slice(-MOST_AT_ONCE);
    const added = shown.flatMap((move, index): Dot[] => {
      const path = move.to ? pathOf(wayBetween(layout, move.from, move.to)) : wayOut(layout, move.from);
      if (!path) return [];
      return [{ key: nameOf(move), path, delay: (index * interval * 0.8) / shown.length, leaving: !move.to }];
    });
    setDots((running) => [...running, ...added]);
  }, [moves, layout, interval]);

  return (
    <ViewportPortal>
      {dots.map((dot) => (
        <span
          key={dot.key}
          className={dot.leaving ? "dot dot-leaving" : "dot"}
          style={{ offsetPath: `path("${dot.path}")`, animationDelay: `${dot.delay}ms` }}
          onAnimationEnd={() => setDots((running) => running.filter((other) => other.key !== dot.key))}
        />
      ))}
    </ViewportPortal>
  );
}

/** Who leaves fades away below the step. */
function wayOut(layout: Layout, from: string): string {
  const at = layout.nodes.get(from);
  if (!at) return "";
  const x = at.x + layout.nodeWidth / 2;
  return `M ${x} ${at.y + NODE_HEIGHT} L ${x} ${at.y + NODE_HEIGHT + 50}`;
}
