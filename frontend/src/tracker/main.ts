/**
 * The browser tracker: `<script async src="https://…/t.js" data-key="WRITE_KEY"></script>` on every page of a site.
 *
 * It sends each page view, and what the site tells it:
 *   window.parcours = window.parcours || [];
 *   parcours.push(["identify", "customer-42", { email: "…" }]);   // before or after it has loaded
 *   parcours.track("cta.clicked", { cta_id: "…" });               // once it has
 * Calls are Segment's (https://segment.com/docs/connections/spec), sent to the address that the script came from. What
 * could not be delivered is kept and sent again with the same message id. A browser that says no (GPC) is not followed.
 * `data-auto="off"` sends no page view by itself.
 */

type Fields = Record<string, unknown>;
type Call = Fields & { type: "page" | "track" | "identify" | "alias"; messageId: string };
type Command = [name: string, ...args: unknown[]];

const VISITOR = "pc_visitor";
const USER = "pc_user";
const WAITING = "pc_waiting";
const ARRIVAL = "pc_c";
const MOST_WAITING = 100;
const YEAR = 31536000;

const script = document.currentScript as HTMLScriptElement | null;
const key = script?.dataset.key ?? "";
const collector = script ? new URL(script.src).origin : "";
const refused = (navigator as Navigator & { globalPrivacyControl?: boolean }).globalPrivacyControl === true;

function uuid(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Storage may be closed to scripts: then this page alone remembers. */
const memory: Record<string, string> = {};

function read(name: string): string {
  try {
    return localStorage.getItem(name) ?? memory[name] ?? "";
  } catch {
    return memory[name] ?? "";
  }
}

function write(name: string, value: string): void {
  memory[name] = value;
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // Remembered in memory above.
  }
}

function cookie(name: string): string {
  return document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1] ?? "";
}

/** On the widest domain that the browser lets this page set a cookie for, so that www. and shop. share a visitor. */
function setCookie(name: string, value: string): void {
  const rest = `; Max-Age=${YEAR}; Path=/; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
  const labels = location.hostname.split(".");
  for (let from = labels.length - 2; from >= 0; from--) {
    document.cookie = `${name}=${value}; Domain=${labels.slice(from).join(".")}${rest}`;
    if (cookie(name) === value) return;
  }
  document.cookie = `${name}=${value}${rest}`;
}

/** Who browses: the same in the cookie and in storage, whichever of them outlives the other. */
function visitor(): string {
  const known = cookie(VISITOR) || read(VISITOR) || uuid();
  if (cookie(VISITOR) !== known) setCookie(VISITOR, known);
  if (read(VISITOR) !== known) write(VISITOR, known);
  return known;
}

function waiting(): Call[] {
  try {
    return JSON.parse(read(WAITING) || "[]") as Call[];
  } catch {
    return [];
  }
}

let sending = false;
let pause = 1000;

async function flush(): Promise<void> {
  if (sending) return;
  sending = true;
  try {
    for (let calls = waiting(); calls.length; calls = waiting()) {
      const some = calls.slice(0, 20);
      const [first] = some as [Call];
      const one = some.length === 1;
      const envelope = { sentAt: new Date().toISOString(), writeKey: key };
      const response = await fetch(`${collector}/v1/${one ? first.type[0] : "b"}`, {
        method: "POST",
        body: JSON.stringify(one ? { ...first, ...envelope } : { batch: some, ...envelope }),
        headers: { "Content-Type": "text/plain" }, // A plain request: the browser asks no leave first.
        keepalive: true,
        credentials: "omit",
      });
      await response.text(); // Read to its end, the connection serves the next call.
      if (response.status === 429 || response.status >= 500) throw new Error(String(response.status));
      const done = new Set(some.map((call) => call.messageId));
      write(WAITING, JSON.stringify(waiting().filter((call) => !done.has(call.messageId))));
      pause = 1000;
    }
  } catch {
    setTimeout(flush, pause);
    pause = Math.min(pause * 2, 60000);
  } finally {
    sending = false;
  }
}

function campaign(): Fields {
  const found: Fields = {};
  new URLSearchParams(location.search).forEach((value, name) => {
    if (name.startsWith("utm_")) found[name === "utm_campaign" ? "name" : name.slice(4)] = value;
  });
  return found;
}

/** Which click in a message brought this page: the token goes with its first page view. */
let arrival = "";

/** Take the token out of the address, so that nobody copies or bookmarks it; the rest stays as it was written. */
function takeArrival(): void {
  const { pathname, search, hash } = location;
  arrival = new URLSearchParams(search).get(ARRIVAL) ?? "";
  if (!arrival) return;
  const rest = search.replace(new RegExp(`([?&])${ARRIVAL}=[^&]*(&|$)`), (_, before, after) => (after ? before : ""));
  history.replaceState(history.state, "", pathname + rest + hash);
}

function pageFields(): Fields {
  const { title, referrer } = document;
  const { href: url, pathname: path, search } = location;
  return { url, path, search, title, referrer };
}

function send(type: Call["type"], fields: Fields): void {
  if (refused || !key) return;
  const user = read(USER);
  const call: Call = {
    type,
    messageId: uuid(),
    timestamp: new Date().toISOString(),
    anonymousId: visitor(),
    ...(user && { userId: user }),
    context: {
      page: pageFields(),
      campaign: campaign(),
      locale: navigator.language,
      userAgent: navigator.userAgent,
      library: { name: "parcours.js", version: "1" },
      ...(type === "page" && arrival && { arrival }),
    },
    ...fields,
  };
  if (type === "page") arrival = "";
  write(WAITING, JSON.stringify([...waiting(), call].slice(-MOST_WAITING)));
  void flush();
}

const tracker = {
  /** A page view; its address, title and referrer go along. */
  page(name?: string | Fields, properties?: Fields): void {
    const named = typeof name === "string" ? { name } : {};
    const given = typeof name === "string" ? properties : name;
    send("page", { ...named, properties: { ...pageFields(), ...named, ...given } });
  },
  /** Something the visitor did. */
  track(event: string, properties: Fields = {}): void {
    send("track", { event, properties });
  },
  /** Who the visitor is: `identify("id", {email})`, or `identify({email})`. */
  identify(id: string | Fields, traits: Fields = {}): void {
    const known = typeof id === "object" ? "" : String(id);
    if (known) write(USER, known);
    send("identify", { ...(known && { userId: known }), traits: typeof id === "object" ? id : traits });
  },
  /** Another id of the same person. */
  alias(id: string): void {
    send("alias", { userId: String(id), previousId: read(USER) || visitor() });
    write(USER, String(id));
  },
  /** Someone else uses this browser from now on, as at signing out. */
  reset(): void {
    if (refused) return;
    const fresh = uuid();
    write(USER, "");
    write(VISITOR, fresh);
    setCookie(VISITOR, fresh);
  },
  /** Commands given before the tracker had loaded, and after. */
  push(...commands: Command[]): void {
    for (const [name, ...args] of commands) {
      const act = (this as unknown as Record<string, unknown>)[name];
      if (typeof act === "function" && name !== "push") act.apply(this, args);
    }
  },
};

/** Sites of one page change their address without loading another. */
function followHistory(): void {
  const address = (): string => location.pathname + location.search;
  let last = address();
  const look = (): void => {
    if (address() === last) return;
    last = address();
    setTimeout(() => tracker.page()); // once the new page has set its title
  };
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (this: History, ...args: Parameters<History["pushState"]>) {
      original.apply(this, args);
      look();
    };
  }
  addEventListener("popstate", look);
}

function begin(): void {
  const host = window as unknown as { parcours?: Command[] | typeof tracker };
  if (host.parcours && !Array.isArray(host.parcours)) return; // the snippet is twice in the page
  const before = host.parcours ?? [];
  host.parcours = tracker;
  takeArrival();
  if (script?.dataset.auto !== "off") {
    followHistory();
    tracker.page();
  }
  tracker.push(...before);
  if (!refused && waiting().length) void flush();
}

if ((document as Document & { prerendering?: boolean }).prerendering) {
  document.addEventListener("prerenderingchange", begin, { once: true });
} else {
  begin();
}
