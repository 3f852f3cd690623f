/** The journey drawn: read-only, its figures fresh. */

import { BaseEdge, type Edge as FlowEdge, EdgeLabelRenderer, type EdgeProps, Panel, ReactFlow, useReactFlow } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Dots } from "./Dots";
import { Icon } from "./icons";
import { type Journey, numberText, shapeOf, type Step, type Words } from "./journey";
import { type Layout, layOut, type Line, NODE_HEIGHT, nodeWidth, pathOf } from "./layout";
import { QuickView } from "./QuickView";
import { StepNode, type StepNodeType, SurroundingsContext } from "./StepNode";

type LineEdgeType = FlowEdge<{ line: Line; count?: number }, "line">;

const MARGIN = 24;
const TOOLS = 130;
const LEAST_ZOOM = 0.55;
// A finger scrolls the page, unless the drawing is wider than the page and must be moved.
const FINGERS = matchMedia("(pointer: coarse)").matches;

function LineEdge({ data }: EdgeProps<LineEdgeType>) {
  const { line, count } = data!;
  return (
    <>
      <BaseEdge path={pathOf(line.points)} className="line" markerEnd="url(#line-end)" />
      {line.labelAt && (
        <EdgeLabelRenderer>
          <span className="line-label" style={{ transform: `translate(-50%, -50%) translate(${line.labelAt.x}px, ${line.labelAt.y}px)` }}>
            {line.label}
            {count !== undefined && <span className="line-count"> {numberText(count)}</span>}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

const nodeTypes = { step: StepNode };
const edgeTypes = { line: LineEdge };

export interface CanvasProps {
  journey: Journey;
  words: Words;
  stale: boolean;
  interval: number;
  /** The element that holds the drawing. */
  host: HTMLElement;
}

export function Canvas({ journey, words, stale, interval, host }: CanvasProps) {
  const shape = shapeOf(journey);
  const [layout, setLayout] = useState<Layout | null>(null);
  const [quick, setQuick] = useState<string | null>(null);
  const [fits, setFits] = useState(true);
  const opener = useRef<HTMLElement | null>(null);
  const room = useWidth(host);
  const stepWidth = nodeWidth(room);

  useEffect(() => {
    let current = true;
    void layOut(journey, room).then((drawn) => current && setLayout(drawn));
    return () => void (current = false);
  }, [shape, stepWidth]); // New figures alone move nothing.

  const nodes = useMemo<StepNodeType[]>(() => {
    if (!layout) return [];
    const placed = journey.steps.filter((step) => layout.nodes.has(step.id));
    // The keyboard goes through them as the eye does: from top to bottom.
    placed.sort((a, b) => layout.nodes.get(a.id)!.y - layout.nodes.get(b.id)!.y || layout.nodes.get(a.id)!.x - layout.nodes.get(b.id)!.x);
    return placed.map((step) => ({
      id: step.id,
      type: "step",
      position: layout.nodes.get(step.id)!,
      data: { step },
      width: layout.nodeWidth,
      height: NODE_HEIGHT,
    }));
  }, [journey, layout]);

  const edges = useMemo<LineEdgeType[]>(() => {
    const counts = new Map(journey.edges.map((edge) => [`${edge.from}\n${edge.to}\n${edge.label ?? ""}`, edge.count]));
    return (layout?.lines ?? []).map((line) => ({
      id: line.id,
      type: "line",
      source: line.from,
      target: line.to,
      data: { line, count: counts.get(`${line.from}\n${line.to}\n${line.label}`) },
    }));
  }, [journey, layout]);

  const openStatistics = useCallback((step: Step, from: HTMLElement) => {
    opener.current = from;
    setQuick(step.id);
  }, []);
  const close = useCallback(() => {
    setQuick(null);
    opener.current?.focus();
  }, []);
  const surroundings = useMemo(() => ({ words, openStatistics }), [words, openStatistics]);
  const quickStep = journey.steps.find((step) => step.id === quick);

  return (
    <SurroundingsContext value={surroundings}>
      <svg className="line-defs" aria-hidden="true">
        <defs>
          <marker id="line-end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M1 1 9 5 1 9" fill="none" stroke="#8b9793" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" />
          </marker>
        </defs>
      </svg>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elevateNodesOnSelect={false}
        panOnDrag={!(fits && FINGERS)}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        minZoom={0.2}
        maxZoom={1.6}
        aria-label={words.canvas}
      >
        {layout && <Frame layout={layout} words={words} host={host} room={room} onFit={setFits} />}
        {layout && <Dots moves={journey.moves ?? []} layout={layout} interval={interval} />}
        <Panel position="bottom-left">
          <p className={stale ? "watermark canvas-watermark is-stale" : "watermark canvas-watermark"} data-as-of={journey.as_of}>
            {stale ? words.stale : journey.as_of_text}
          </p>
        </Panel>
      </ReactFlow>
      {!layout && <div className="loading canvas-loading" />}
      {quickStep && <QuickView key={quickStep.id} step={quickStep} words={words} close={close} host={host} opener={opener.current} />}
    </SurroundingsContext>
  );
}

function useWidth(element: HTMLElement): number {
  const [width, setWidth] = useState(element.clientWidth);
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

interface FrameProps {
  layout: Layout;
  words: Words;
  host: HTMLElement;
  room: number;
  onFit: (fits: boolean) => void;
}

/** Fits the drawing to the page: as wide as it may be, as high as it needs, so that the page itself scrolls. */
function Frame({ layout, words, host, room, onFit }: FrameProps) {
  const flow = useReactFlow();

  const fit = useCallback(() => {
    const zoom = Math.max(LEAST_ZOOM, Math.min(1, (room - MARGIN) / layout.width));
    const width = layout.width * zoom;
    const fits = width <= room;
    // The tools are in the top right corner: nothing of the drawing stays below them.
    const top = width > room - 2 * TOOLS ? MARGIN + 44 : MARGIN;
    host.style.height = `${Math.max(360, layout.height * zoom + top + MARGIN + 40)}px`;
    host.classList.toggle("canvas-fits", fits);
    onFit(fits);
    void flow.setViewport({ x: fits ? (room - width) / 2 : MARGIN / 2, y: top, zoom });
  }, [flow, layout, host, room, onFit]);

  useEffect(fit, [fit]);

  return (
    <Panel position="top-right">
      <div className="canvas-tools">
        <button type="button" aria-label={words.zoom_in} title={words.zoom_in} onClick={() => void flow.zoomIn()}><Icon name="zoom-in" /></button>
        <button type="button" aria-label={words.zoom_out} title={words.zoom_out} onClick={() => void flow.zoomOut()}><Icon name="zoom-out" /></button>
        <button type="button" aria-label={words.fit} title={words.fit} onClick={fit}><Icon name="maximize" /></button>
      </div>
    </Panel>
  );
}
