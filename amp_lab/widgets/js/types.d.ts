// What modules with `@ts-check` share. Only for the type checker: nothing of it is bundled.

/** What anywidget gives a view: traits, and messages both ways. */
export interface Model {
  get(key: string): any;
  set(key: string, value: unknown): void;
  save_changes(): void;
  on(event: string, handler: (...parameters: any[]) => void): void;
  off(event: string, handler: (...parameters: any[]) => void): void;
  send(content: object): void;
  widget_manager?: { kernel?: Kernel };
}

export interface Signal {
  connect(slot: (sender: unknown, value: any) => unknown): unknown;
  disconnect(slot: (sender: unknown, value: any) => unknown): unknown;
}

/** A kernel connection of Jupyter, where the widget manager has one. */
export interface Kernel {
  statusChanged?: Signal;
  connectionStatusChanged?: Signal;
  disposed?: Signal;
}

/** Why a kernel does not serve a view; `passes`: it may do so again by itself. */
export interface Loss {
  kind: string;
  words: string;
  passes: boolean;
  detail: string;
}

/** A message of Python: its kind, the id of the question it answers, and what else it says. */
export interface Message {
  kind: string;
  id?: string;
  [key: string]: any;
}

export type Handler = (message: any, buffers?: DataView[]) => void;

/** A parameter of a contract; values in `unit`. */
export interface Param {
  key: string;
  kind: string;
  rate: string;
  unit: string;
  scale: string;
  default: number;
  low?: number | null;
  high?: number | null;
}

export interface Port {
  key: string;
}

export interface Contract {
  id: string;
  group: string;
  inputs: Port[];
  outputs: Port[];
  params: Param[];
}

export interface Node {
  type: string;
  params?: Record<string, unknown>;
}

/** An edge or a modulation: "osc.out" to "svf.in". */
export interface Link {
  from: string;
  to: string;
  [option: string]: unknown;
}

/** A graph as the journal in Python has it. */
export interface GraphDocument {
  nodes: Record<string, Node>;
  edges: Record<string, Link>;
  modulations: Record<string, Link>;
  places: Record<string, [number, number]>;
  folds: Record<string, string[]>;
  [attribute: string]: unknown;
}

/** What brings a document from version `base` to `version`; null removes an entry. */
export interface Patch {
  base: number;
  version: number;
  undo: number;
  redo: number;
  attributes: Record<string, unknown>;
  nodes: Record<string, Node | null>;
  edges: Record<string, Link | null>;
  modulations: Record<string, Link | null>;
  places: Record<string, [number, number] | null>;
  renamed: Record<string, string>;
  folds?: Record<string, string[]>;
}

/** A box of React Flow. */
export interface Box {
  id: string;
  type: string;
  selected: boolean;
  dragging?: boolean;
  position: { x: number; y: number };
  data: Record<string, any>;
  [property: string]: unknown;
}

/** A line of React Flow. */
export interface Line {
  id: string;
  type: string;
  selected: boolean;
  source: string;
  target: string;
  data: { link: Link };
  [property: string]: unknown;
}

/** Extremes of signals over the frames `first` to `last`, in columns. */
export interface Tile {
  first: number;
  last: number;
  columns: number;
  pairs: Record<string, unknown>;
}
