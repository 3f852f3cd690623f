/** Small drawings, of Tabler's icons (MIT): 24 × 24, strokes in the text's colour. */

const PATHS: Record<string, string[]> = {
  x: ["M18 6l-12 12", "M6 6l12 12"],
  plus: ["M12 5v14", "M5 12h14"],
  up: ["M12 5v14", "M18 11l-6 -6", "M6 11l6 -6"],
  down: ["M12 5v14", "M18 13l-6 6", "M6 13l6 6"],
  copy: ["M7 9.7a2.7 2.7 0 0 1 2.7 -2.7h8.6a2.7 2.7 0 0 1 2.7 2.7v8.6a2.7 2.7 0 0 1 -2.7 2.7h-8.6a2.7 2.7 0 0 1 -2.7 -2.7z", "M4 16.7a2 2 0 0 1 -1 -1.7v-10c0 -1.1 .9 -2 2 -2h10c.75 0 1.15 .4 1.5 1"],
  trash: ["M4 7h16", "M10 11v6", "M14 11v6", "M5 7l1 12a2 2 0 0 0 2 2h8a2 2 0 0 0 2 -2l1 -12", "M9 7v-3a1 1 0 0 1 1 -1h4a1 1 0 0 1 1 1v3"],
  undo: ["M9 14l-4 -4l4 -4", "M5 10h11a4 4 0 1 1 0 8h-1"],
  redo: ["M15 14l4 -4l-4 -4", "M19 10h-11a4 4 0 1 0 0 8h1"],
  code: ["M7 8l-4 4l4 4", "M17 8l4 4l-4 4", "M14 4l-4 16"],
  filter: ["M4 4h16v2.2a2 2 0 0 1 -.6 1.4l-4.4 4.4v7l-6 2v-8.5l-4.5 -4.9a2 2 0 0 1 -.5 -1.4z"],
  sum: ["M18 16v2a1 1 0 0 1 -1 1h-11l6 -7l-6 -7h11a1 1 0 0 1 1 1v2"],
  group: ["M8 4h-2a2 2 0 0 0 -2 2v12a2 2 0 0 0 2 2h2", "M16 4h2a2 2 0 0 1 2 2v12a2 2 0 0 1 -2 2h-2", "M9 9h6", "M9 12h6", "M9 15h6"],
  search: ["M3 10a7 7 0 1 0 14 0a7 7 0 1 0 -14 0", "M21 21l-6 -6"],
  field: ["M8 7a4 4 0 1 0 8 0a4 4 0 0 0 -8 0", "M6 21v-2a4 4 0 0 1 4 -4h4a4 4 0 0 1 4 4v2"],
  event: ["M13 3v7h6l-8 11v-7h-6l8 -11"],
  consent: ["M3 7a2 2 0 0 1 2 -2h14a2 2 0 0 1 2 2v10a2 2 0 0 1 -2 2h-14a2 2 0 0 1 -2 -2z", "M3 7l9 6l9 -6"],
  list: ["M9 6h11", "M9 12h11", "M9 18h11", "M5 6v.01", "M5 12v.01", "M5 18v.01"],
  tag: ["M7.5 7.5m-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0", "M3 6v5.2c0 .5 .2 1 .6 1.4l7.7 7.7a2.4 2.4 0 0 0 3.4 0l5.6 -5.6a2.4 2.4 0 0 0 0 -3.4l-7.7 -7.7a2 2 0 0 0 -1.4 -.6h-5.2a3 3 0 0 0 -3 3z"],
  segment: ["M4.5 3h15a1 1 0 0 1 .8 1.6l-5.3 6.4v8l-6 2v-10l-5.3 -6.4a1 1 0 0 1 .8 -1.6"],
  journey: ["M3 19a2 2 0 1 0 4 0a2 2 0 0 0 -4 0", "M19 7a2 2 0 1 0 0 -4a2 2 0 0 0 0 4z", "M11 19h5.5a3.5 3.5 0 0 0 0 -7h-8a3.5 3.5 0 0 1 0 -7h4.5"],
};

export function Icon({ name }: { name: string }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {(PATHS[name] ?? []).map((path) => (
        <path key={path} d={path} />
      ))}
    </svg>
  );
}
