/** Where each step stands and how the lines run, by ELK in a worker of its own. */

import ELK, { type ElkExtendedEdge, type ElkLabel, type ElkNode, type ElkPoint } from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import type { Edge, Journey } from "./journey";

export const NODE_HEIGHT = 130;
const LABEL_HEIGHT = 24;
const NARROW_PAGE = 640;

/** How wide a step is drawn on a page of that width. */
export const nodeWidth = (room: number): number => (room < NARROW_PAGE ? 200 : 272);

export interface Line {
  id: string;
  from: string;
  to: string;
  label: string;
  count?: number;
  points: ElkPoint[];
  labelAt?: ElkPoint;
}

export interface Layout {
  nodeWidth: number;
  width: number;
  height: number;
  nodes: Map<string, ElkPoint>;
  lines: Line[];
}

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.layered.spacing.nodeNodeBetweenLayers": "44",
  "elk.layered.spacing.edgeNodeBetweenLayers": "20",
  "elk.spacing.nodeNode": "32",
  "elk.spacing.edgeNode": "24",
  "elk.spacing.edgeEdge": "16",
  "elk.layered.feedbackEdges": "true",
  "elk.layered.edgeLabels.centerLabelPlacementStrategy": "TAIL_LAYER",
  "elk.padding": "[top=8,left=8,bottom=8,right=8]",
};

const elk = new ELK({ workerFactory: () => new Worker(workerUrl) });

function labelOf(edge: Edge): ElkLabel[] {
  if (!edge.label) return [];
  const text = edge.count === undefined ? edge.label : `${edge.label} 000 000`;
  const layoutOptions = { "elk.edgeLabels.inline": "true" };
  return [{ text, width: text.length * 7 + 24, height: LABEL_HEIGHT, layoutOptions }];
}

export async function layOut(journey: Journey, room: number): Promise<Layout> {
  const width = nodeWidth(room);
  const known = new Set(journey.steps.map((step) => step.id));
  const edges = journey.edges.filter((edge) => known.has(edge.from) && known.has(edge.to));
  const graph: ElkNode = {
    id: "journey",
    layoutOptions: OPTIONS,
    children: journey.steps.map((step) => ({ id: step.id, width, height: NODE_HEIGHT })),
    edges: edges.map((edge, index) => ({
      id: `${index}`,
      sources: [edge.from],
      targets: [edge.to],
      labels: labelOf(edge),
    })),
  };
  const drawn = await elk.layout(graph);
  const nodes = new Map((drawn.children ?? []).map((node) => [node.id, { x: node.x ?? 0, y: node.y ?? 0 }]));
  const lines = (drawn.edges ?? []).map((line: ElkExtendedEdge, index) => {
    const section = line.sections?.[0];
    const label = line.labels?.[0];
    const edge = edges[index]!;
    return {
      id: line.id,
      from: edge.from,
      to: edge.to,
      label: edge.label ?? "",
      points: section ? [section.startPoint, ...(section.bendPoints ?? []), section.endPoint] : [],
      labelAt: label && { x: (label.x ?? 0) + (label.width ?? 0) / 2, y: (label.y ?? 0) + (label.height ?? 0) / 2 },
    };
  });
  return { nodeWidth: width, width: drawn.width ?? 0, height: drawn.height ?? 0, nodes, lines };
}

/** The line as an SVG path with rounded corners. */
export function pathOf(points: ElkPoint[], radius = 12): string {
  const [start, ...rest] = points;
  if (!start) return "";
  let path = `M ${start.x} ${start.y}`;
  rest.forEach((corner, index) => {
    const before = index === 0 ? start : rest[index - 1]!;
    const after = rest[index + 1];
    if (!after) {
      path += ` L ${corner.x} ${corner.y}`;
      return;
    }
    const inward = shortened(corner, before, radius);
    const outward = shortened(corner, after, radius);
    path += ` L ${inward.x} ${inward.y} Q ${corner.x} ${corner.y} ${outward.x} ${outward.y}`;
  });
  return path;
}

function shortened(corner: ElkPoint, towards: ElkPoint, radius: number): ElkPoint {
  const distance = Math.hypot(towards.x - corner.x, towards.y - corner.y) || 1;
  const part = Math.min(radius, distance / 2) / distance;
  return { x: corner.x + (towards.x - corner.x) * part, y: corner.y + (towards.y - corner.y) * part };
}

/** The points that a contact runs through from a step to another, over steps between them when it was quick. */
export function wayBetween(layout: Layout, from: string, to: string): ElkPoint[] {
  const reached = new Map<string, Line | null>([[from, null]]);
  const queue = [from];
  while (queue.length && !reached.has(to)) {
    const step = queue.shift()!;
    for (const line of layout.lines) {
      if (line.from !== step || reached.has(line.to)) continue;
      reached.set(line.to, line);
      queue.push(line.to);
    }
  }
  const lines: Line[] = [];
  for (let line = reached.get(to); line; line = reached.get(line.from)) lines.unshift(line);
  return lines.flatMap((line) => line.points);
}
