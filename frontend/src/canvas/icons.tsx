/** The icons of the step types: the same files as the pages use. */

const files = import.meta.glob<string>(
  "../../../parcours/ui/icons/{arrows-split-2,bell,brand-whatsapp,calendar-event,chart-bar,clock-pause,currency-euro,device-mobile,door-exit,eye,flag,flag-3,git-branch,hourglass,login,mail,maximize,playlist-add,playlist-x,plus,shield-check,tag,tag-off,user-edit,users,webhook,x,zoom-in,zoom-out}.svg",
  { query: "?raw", import: "default", eager: true },
);

const icons = new Map(Object.entries(files).map(([path, svg]) => [path.replace(/^.*\/|\.svg$/g, ""), svg]));

type Tone = "entry" | "wait" | "choice" | "message" | "data" | "end";

/** Step type → icon and family (each family has its colour). */
const TYPES: Record<string, [icon: string, tone: Tone]> = {
  entry: ["users", "entry"],
  delay: ["hourglass", "wait"],
  delay_until: ["calendar-event", "wait"],
  wait_for: ["clock-pause", "wait"],
  condition: ["git-branch", "choice"],
  branch: ["arrows-split-2", "choice"],
  split: ["arrows-split-2", "choice"],
  send_email: ["mail", "message"],
  send_sms: ["device-mobile", "message"],
  send_whatsapp: ["brand-whatsapp", "message"],
  update_contact: ["user-edit", "data"],
  add_to_list: ["playlist-add", "data"],
  remove_from_list: ["playlist-x", "data"],
  add_tag: ["tag", "data"],
  remove_tag: ["tag-off", "data"],
  set_consent: ["shield-check", "data"],
  update_deal: ["currency-euro", "data"],
  webhook: ["webhook", "data"],
  notify: ["bell", "data"],
  enter_journey: ["login", "data"],
  exit_journey: ["door-exit", "end"],
  end: ["flag-3", "end"],
};

export function Icon({ name }: { name: string }) {
  return <span className="icon-holder" aria-hidden="true" dangerouslySetInnerHTML={{ __html: icons.get(name) ?? "" }} />;
}

export const iconOf = (type: string): string => TYPES[type]?.[0] ?? "flag";
export const toneOf = (type: string): Tone => TYPES[type]?.[1] ?? "data";
