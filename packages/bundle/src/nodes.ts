// A YAML document as plain immutable values that know where they were written. Positions survive merging and
// substitution, so that every later finding can point at a line.

import type { Position } from './problem.ts';

export type Scalar = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: Scalar;
  readonly at: Position;
}

export interface ListNode {
  readonly kind: 'list';
  readonly entries: readonly Node[];
  readonly at: Position;
}

export interface MappingNode {
  readonly kind: 'mapping';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Position;
}

export interface Entry {
  readonly keyAt: Position;
  readonly value: Node;
}

export type Node = ScalarNode | ListNode | MappingNode;
export type Path = readonly (string | number)[];

export function scalarNode(value: Scalar, at: Position): ScalarNode {
  return { kind: 'scalar', value, at };
}

export function emptyMapping(at: Position): MappingNode {
  return { kind: 'mapping', entries: new Map(), at };
}

/** Plain data without positions becomes nodes that all claim one position. */
export function fromPlain(value: unknown, at: Position): Node {
  if (Array.isArray(value)) return { kind: 'list', entries: value.map((entry) => fromPlain(entry, at)), at };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, child]) => child !== undefined);
    return {
      kind: 'mapping',
      entries: new Map(entries.map(([key, child]) => [key, { keyAt: at, value: fromPlain(child, at) }])),
      at,
    };
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return scalarNode(value, at);
  }
  return scalarNode(null, at);
}

export function toPlain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.entries.map(toPlain);
  const plain: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    // Assigned, this one key would be the object's prototype.
    if (key === '__proto__') {
      const value = toPlain(entry.value);
      Object.defineProperty(plain, key, { value, enumerable: true, writable: true, configurable: true });
    } else plain[key] = toPlain(entry.value);
  }
  return plain;
}

export function child(node: Node | undefined, key: string | number): Node | undefined {
  if (node?.kind === 'mapping') return node.entries.get(String(key))?.value;
  if (node?.kind === 'list' && typeof key === 'number') return node.entries[key];
  return undefined;
}

export function at(node: Node | undefined, ...path: Path): Node | undefined {
  return path.reduce<Node | undefined>(child, node);
}

/** The text at a path; null when it is absent, empty or not a text. */
export function textAt(node: Node | undefined, ...path: Path): string | null {
  const found = at(node, ...path);
  return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : null;
}

export function scalarAt(node: Node | undefined, ...path: Path): Scalar {
  const found = at(node, ...path);
  return found?.kind === 'scalar' ? found.value : null;
}

/** Entries of the mapping at a path, none when it is absent, empty or something else. */
export function entriesAt(node: Node | undefined, ...path: Path): [string, Entry][] {
  const found = at(node, ...path);
  return found?.kind === 'mapping' ? [...found.entries] : [];
}

export function listAt(node: Node | undefined, ...path: Path): readonly Node[] {
  const found = at(node, ...path);
  return found?.kind === 'list' ? found.entries : [];
}

/** Where the value at a path was written, or its nearest ancestor that exists. */
export function positionOf(node: Node, path: Path): Position {
  let current = node;
  for (const key of path) {
    const next = child(current, key);
    if (next === undefined) break;
    current = next;
  }
  return current.at;
}

export function isEmpty(node: Node | undefined): boolean {
  return node === undefined || (node.kind === 'scalar' && node.value === null);
}

/** A copy with the value at a path replaced; mappings on the way are made where they are missing. */
export function withValue(node: Node, path: Path, value: Node): Node {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (node.kind === 'list' && typeof key === 'number') {
    return {
      ...node,
      entries: node.entries.map((entry, index) => (index === key ? withValue(entry, rest, value) : entry)),
    };
  }
  const mapping = node.kind === 'mapping' ? node : emptyMapping(node.at);
  const entry = mapping.entries.get(String(key));
  const inner = withValue(entry?.value ?? emptyMapping(value.at), rest, value);
  const entries = new Map(mapping.entries);
  entries.set(String(key), { keyAt: entry?.keyAt ?? value.at, value: inner });
  return { ...mapping, entries };
}

export function withoutKeys(node: MappingNode, keys: readonly string[]): MappingNode {
  return { ...node, entries: new Map([...node.entries].filter(([key]) => !keys.includes(key))) };
}

/**
 * A copy in which every scalar went through `change`, which also sees the path that leads to it. The path is one array
 * that changes with every call: copy it to keep it. What does not change is not copied.
 */
export function mapScalars(node: Node, change: (scalar: ScalarNode, path: Path) => Node): Node {
  return mapBelow(node, change, []);
}

function mapBelow(
  node: Node,
  change: (scalar: ScalarNode, path: Path) => Node,
  path: (string | number)[],
): Node {
  if (node.kind === 'scalar') return change(node, path);
  return node.kind === 'list' ? mapList(node, change, path) : mapMapping(node, change, path);
}

function mapList(
  node: ListNode,
  change: (scalar: ScalarNode, path: Path) => Node,
  path: (string | number)[],
): Node {
  let entries: Node[] | null = null;
  for (const [index, entry] of node.entries.entries()) {
    path.push(index);
    const value = mapBelow(entry, change, path);
    path.pop();
    if (value === entry) continue;
    entries ??= [...node.entries];
    entries[index] = value;
  }
  return entries === null ? node : { ...node, entries };
}

function mapMapping(
  node: MappingNode,
  change: (scalar: ScalarNode, path: Path) => Node,
  path: (string | number)[],
): Node {
  let entries: Map<string, Entry> | null = null;
  for (const [key, entry] of node.entries) {
    path.push(key);
    const value = mapBelow(entry.value, change, path);
    path.pop();
    if (value === entry.value) continue;
    // Setting a key that is there keeps its place among the others.
    entries ??= new Map(node.entries);
    entries.set(key, { keyAt: entry.keyAt, value });
  }
  return entries === null ? node : { ...node, entries };
}
