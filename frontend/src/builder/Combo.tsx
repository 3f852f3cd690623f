/** A text field with suggestions: ARIA's combobox with a list, by mouse, by finger and by keyboard. */

import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { Option } from "./choices";

const PAUSE_MS = 180;

interface Props {
  label: string;
  value: string;
  /** What is suggested for a text; asked again as one types. */
  options: (text: string, signal: AbortSignal) => Promise<Option[]>;
  onPick: (option: Option) => void;
  /** Without it, only what is suggested can be taken. */
  onText?: (text: string) => void;
  /** The text that was typed and not picked, once one leaves it or says Enter. */
  onLeave?: (text: string) => void;
  placeholder?: string;
  invalid?: boolean;
  describedBy?: string;
  /** Enter with a text that is no suggestion; for fields that gather several. */
  onEnter?: (text: string) => void;
  onBackspace?: () => void;
  numeric?: boolean;
}

export function Combo(props: Props) {
  const { label, value, options, onPick, onText, placeholder, invalid, describedBy, onLeave, onEnter, onBackspace } = props;
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  const [found, setFound] = useState<Option[]>([]);
  const [active, setActive] = useState(-1);
  const latest = useRef(options);
  latest.current = options;
  const pointed = useRef<string>(undefined);
  pointed.current = found[active]?.value;
  const list = useRef<HTMLUListElement>(null);
  const text = typed ?? value;
  // A value already chosen is no search: all is suggested until one types.
  const search = typed ?? (onText && value ? value : "");

  useEffect(() => {
    if (!open) return;
    const controller = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const answer = await latest.current(search, controller.signal);
        setFound(answer);
        // Whoever pointed at one before the answer came goes on pointing at it.
        setActive(answer.findIndex((option) => option.value === pointed.current));
      } catch {
        if (!controller.signal.aborted) setFound([]);
      }
    }, search ? PAUSE_MS : 0);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [open, search]);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const shown = open && found.length > 0;
  const pick = (option: Option): void => {
    setTyped(null);
    setOpen(false);
    onPick(option);
  };
  const leave = (): void => {
    setOpen(false);
    if (typed !== null) onLeave?.(typed);
    setTyped(null);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) setOpen(true);
      else if (found.length) setActive((at) => (at + (event.key === "ArrowDown" ? 1 : found.length)) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = shown ? found[active] : undefined;
      if (option) pick(option);
      else if (onEnter && text.trim()) {
        onEnter(text.trim());
        setTyped(null);
      } else if (!onText && shown && found[0]) pick(found[0]);
      else leave();
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    } else if (event.key === "Backspace" && !text) onBackspace?.();
  };

  return (
    <div className="combo">
      <input
        type="text"
        role="combobox"
        className={`form-control${invalid ? " is-invalid" : ""}`}
        aria-label={label}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 ? `${id}-${active}` : undefined}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        autoComplete="off"
        spellCheck={false}
        inputMode={props.numeric ? "decimal" : undefined}
        placeholder={placeholder}
        value={text}
        onChange={(event) => {
          setTyped(event.target.value);
          setActive(-1);
          setOpen(true);
          onText?.(event.target.value);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => {
          if (onEnter && typed?.trim()) onEnter(typed.trim());
          leave();
        }}
        onKeyDown={onKeyDown}
      />
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label={label} className="combo-list" hidden={!shown}>
        {found.map((option, place) => (
          <li
            key={option.value}
            id={`${id}-${place}`}
            role="option"
            aria-selected={place === active}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => pick(option)}
          >
            {option.label}
            {option.hint ? <span className="combo-hint">{option.hint}</span> : null}
          </li>
        ))}
      </ul>
    </div>
  );
}
