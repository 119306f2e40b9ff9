// One YAML file → nodes with positions. Anchors, aliases and merge keys are expanded here, within a limit.

import type { Alias, Document, YAMLMap, Node as YamlNode } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseAllDocuments } from 'yaml';
import type { Entry, MappingNode, Node } from '../nodes.ts';
import { errorAt, type Position, type Problem } from '../problem.ts';

/** Values one file may hold after its aliases are expanded: a thousand jobs need about 50,000. */
const NODES_MAX = 200_000;
/** Deeper than anything a job has; keeps recursion away from the stack's end. */
const DEPTH_MAX = 200;

export interface ParsedFile {
  readonly documents: readonly MappingNode[];
  readonly problems: readonly Problem[];
}

export function parseYaml(file: string, bytes: Uint8Array): ParsedFile {
  const start = { file, line: 1, column: 1 };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { documents: [], problems: [errorAt(start, 'is not UTF-8 text; save it as UTF-8')] };
  }
  if (nestingOf(text) > DEPTH_MAX) {
    return { documents: [], problems: [errorAt(start, `is nested deeper than ${DEPTH_MAX} levels`)] };
  }
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: true,
    merge: true,
    prettyErrors: false,
  });
  const documents: Document[] = Array.isArray(parsed) ? parsed : [];
  const problems: Problem[] = [];
  const roots: MappingNode[] = [];
  for (const document of documents) {
    for (const error of document.errors) {
      problems.push(errorAt(toPosition(file, lines, error.pos[0]), yamlMessage(error.code, error.message)));
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const converter = new Converter(file, lines, document);
    const node = converter.convert(document.contents as YamlNode, 0);
    problems.push(...converter.problems);
    if (node.kind === 'mapping') roots.push(node);
    else if (node.kind !== 'scalar' || node.value !== null) {
      problems.push(errorAt(node.at, 'expected a mapping (key: value) at the top of the file'));
    }
  }
  return { documents: roots, problems };
}

/** Cheap upper bound taken from brackets and indentation, so that the parser never sees absurd nesting. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    else if (character === '\n' && depth < 3) depth = 0;
  }
  return deepest;
}

function toPosition(file: string, lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

function yamlMessage(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is given twice in the same mapping; keep one';
  if (code === 'TAB_AS_INDENT') return 'a tab is used for indentation; use spaces';
  return message.split('\n')[0] ?? message;
}

class Converter {
  readonly problems: Problem[] = [];
  private count = 0;
  private readonly targets = new Map<Alias, YamlNode>();
  private readonly file: string;
  private readonly lines: LineCounter;
  private readonly document: Document;

  constructor(file: string, lines: LineCounter, document: Document) {
    this.file = file;
    this.lines = lines;
    this.document = document;
  }

  convert(node: YamlNode | null | undefined, depth: number): Node {
    const at = toPosition(this.file, this.lines, node?.range?.[0] ?? 0);
    this.count += 1;
    if (this.count > NODES_MAX || depth > DEPTH_MAX) {
      const what =
        depth > DEPTH_MAX
          ? `nested deeper than ${DEPTH_MAX} levels`
          : `more than ${NODES_MAX} values once its aliases are expanded`;
      if (this.problems.length === 0) this.problems.push(errorAt(at, `the file is ${what}`));
      return { kind: 'scalar', value: null, at };
    }
    if (isAlias(node)) {
      const target = this.targets.get(node) ?? node.resolve(this.document);
      if (target === undefined) {
        this.problems.push(errorAt(at, `no anchor &${node.source} comes before this alias`));
        return { kind: 'scalar', value: null, at };
      }
      // Finding an anchor walks the whole document: once an alias, however often it is expanded.
      this.targets.set(node, target);
      return this.convert(target as YamlNode, depth + 1);
    }
    if (isSeq(node)) {
      return {
        kind: 'list',
        entries: node.items.map((entry) => this.convert(entry as YamlNode, depth + 1)),
        at,
      };
    }
    if (isMap(node)) return this.convertMap(node, at, depth);
    return { kind: 'scalar', value: isScalar(node) ? this.toScalar(node.value) : null, at };
  }

  private convertMap(map: YAMLMap, at: Position, depth: number): MappingNode {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of map.items as Pair<YamlNode, YamlNode | null>[]) {
      const keyAt = toPosition(this.file, this.lines, pair.key?.range?.[0] ?? 0);
      if (isMergeKey(pair.key)) {
        for (const source of this.mergeSources(pair.value, keyAt, depth)) {
          for (const [key, entry] of source.entries) if (!merged.has(key)) merged.set(key, entry);
        }
        continue;
      }
      if (!isScalar(pair.key)) {
        this.problems.push(errorAt(keyAt, 'a key must be a plain text'));
        continue;
      }
      const value =
        pair.value === null
          ? { kind: 'scalar' as const, value: null, at: keyAt }
          : this.convert(pair.value, depth + 1);
      own.set(String(pair.key.source ?? pair.key.value), {
        keyAt,
        value: isPlaced(pair.value) ? value : { ...value, at: keyAt },
      });
    }
    return { kind: 'mapping', entries: new Map([...merged, ...own]), at };
  }

  private mergeSources(value: YamlNode | null, keyAt: Position, depth: number): MappingNode[] {
    const source = this.convert(value, depth + 1);
    const candidates = source.kind === 'list' ? source.entries : [source];
    return candidates.filter((candidate): candidate is MappingNode => {
      if (candidate.kind === 'mapping') return true;
      this.problems.push(errorAt(keyAt, '<< must name a mapping or a list of mappings'));
      return false;
    });
  }

  private toScalar(value: unknown): string | number | boolean | null {
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
    return value === null || value === undefined ? null : String(value);
  }
}

function isMergeKey(key: YamlNode | null): boolean {
  return isScalar(key) && key.source === '<<' && key.type === 'PLAIN';
}

/** An empty value has a range of no length; its key is the better place to point at. */
function isPlaced(value: YamlNode | null): boolean {
  return value?.range !== undefined && value.range !== null && value.range[0] !== value.range[1];
}
