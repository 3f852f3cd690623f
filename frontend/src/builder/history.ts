/** What was composed, and the way back: quick changes of one thing are undone together. */

import { useCallback, useState } from "react";
import type { GroupItem } from "./tree";

const TOGETHER_MS = 1000;
const LONGEST = 200;

interface Past {
  before: GroupItem[];
  now: GroupItem;
  after: GroupItem[];
  what: string;
  at: number;
}

export interface History {
  now: GroupItem;
  /** `what` names the thing that changes: typing in one field is one change. */
  change: (next: (now: GroupItem) => GroupItem, what?: string) => void;
  undo: () => void;
  redo: () => void;
  canUndo: boolean;
  canRedo: boolean;
}

export function useHistory(first: () => GroupItem): History {
  const [past, setPast] = useState<Past>(() => ({ before: [], now: first(), after: [], what: "", at: 0 }));
  const change = useCallback((next: (now: GroupItem) => GroupItem, what = "") => {
    const at = Date.now();
    setPast((held) => {
      const now = next(held.now);
      if (now === held.now) return held;
      const together = what !== "" && what === held.what && at - held.at < TOGETHER_MS;
      const before = together ? held.before : [...held.before, held.now].slice(-LONGEST);
      return { before, now, after: [], what, at };
    });
  }, []);
  const undo = useCallback(() => {
    setPast((held) => {
      const now = held.before.at(-1);
      return now ? { before: held.before.slice(0, -1), now, after: [held.now, ...held.after], what: "", at: 0 } : held;
    });
  }, []);
  const redo = useCallback(() => {
    setPast((held) => {
      const [now, ...after] = held.after;
      return now ? { before: [...held.before, held.now], now, after, what: "", at: 0 } : held;
    });
  }, []);
  return { now: past.now, change, undo, redo, canUndo: past.before.length > 0, canRedo: past.after.length > 0 };
}
