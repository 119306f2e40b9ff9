// One YAML file → nodes with positions. Anchors, aliases and merge keys are expanded here, within a limit.

import type { Alias, CST, Document, YAMLMap, Node as YamlNode } from 'yaml';
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Pair, Parser } from 'yaml';
import type { Entry, MappingNode, Node } from '../nodes.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';

/** Values one file may hold after its aliases are expanded: a thousand jobs need about 50,000. */
const NODES_MAX = 200_000;
/** Deeper than anything a job has; keeps recursion away from the stack's end. */
const DEPTH_MAX = 200;
/** One mistake, as a wrong indentation, often gives many; the first ones are the ones to read. */
const ERRORS_SHOWN = 20;

export interface ParsedFile {
  readonly documents: readonly MappingNode[];
  readonly problems: readonly Problem[];
}

export function parseYaml(file: string, bytes: Uint8Array): ParsedFile {
  const start = { file, line: 1, column: 1 };
  const text = decode(bytes);
  if ('reason' in text) {
    return { documents: [], problems: [errorAt(start, text.reason, 'save it as UTF-8')] };
  }
  const lines = new LineCounter();
  const tokens = tokenize(text.content, lines);
  if (tokens.tooDeepAt !== null) {
    const at = toPosition(file, lines, tokens.tooDeepAt);
    return {
      documents: [],
      problems: [errorAt(at, `is nested deeper than ${DEPTH_MAX} levels`, 'write it with less nesting')],
    };
  }
  // Duplicate keys are found below: the library compares each key with all before it.
  const composer = new Composer({ lineCounter: lines, uniqueKeys: false, merge: true, prettyErrors: false });
  const problems: Problem[] = [];
  const roots: MappingNode[] = [];
  for (const document of composer.compose(tokens.tokens)) {
    for (const error of document.errors.slice(0, ERRORS_SHOWN)) {
      const at = toPosition(file, lines, error.pos[0]);
      problems.push(explain(at, error.code, error.message));
    }
    for (const warning of document.warnings) {
      problems.push(
        warningAt(
          toPosition(file, lines, warning.pos[0]),
          firstLine(warning.message),
          'correct the YAML at this place',
        ),
      );
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const converter = new Converter(file, lines, document);
    const node = converter.convert(document.contents as YamlNode, 0);
    problems.push(...converter.problems);
    if (node.kind === 'mapping') roots.push(node);
    else if (node.kind !== 'scalar' || node.value !== null) {
      problems.push(
        errorAt(
          node.at,
          'expected a mapping at the top of the file',
          'write sections, such as bundle: {name: …}',
        ),
      );
    }
  }
  return { documents: roots, problems };
}

function decode(bytes: Uint8Array): { readonly content: string } | { readonly reason: string } {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { reason: 'is UTF-16, not UTF-8 text' };
  }
  try {
    const content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return content.includes('\0') ? { reason: 'holds zero bytes, so it is no text' } : { content };
  } catch {
    return { reason: 'is not UTF-8 text' };
  }
}

interface Tokens {
  readonly tokens: readonly CST.Token[];
  /** Where nesting passes what the composer, which calls itself for each level, may be given. */
  readonly tooDeepAt: number | null;
}

function tokenize(text: string, lines: LineCounter): Tokens {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    // One entry for each open collection, and the document.
    if (parser.stack.length > DEPTH_MAX + 2) return { tokens: [], tooDeepAt: parser.offset };
  }
  tokens.push(...parser.end());
  return { tokens, tooDeepAt: null };
}

function toPosition(file: string, lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}

function explain(at: Position, code: string, message: string): Problem {
  if (code === 'TAB_AS_INDENT') return errorAt(at, 'a tab is used for indentation', 'use spaces');
  return errorAt(at, firstLine(message), 'correct the YAML at or before this place');
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
      if (this.problems.length === 0)
        this.problems.push(
          errorAt(at, `the file is ${what}`, 'write it with less nesting and fewer aliases'),
        );
      return { kind: 'scalar', value: null, at };
    }
    if (isAlias(node)) {
      const target = this.targets.get(node) ?? node.resolve(this.document);
      if (target === undefined) {
        this.problems.push(
          errorAt(
            at,
            `no anchor &${node.source} comes before this alias`,
            'define it above, or correct the name',
          ),
        );
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
    return { kind: 'scalar', value: isScalar(node) ? toScalar(node.value, node.source) : null, at };
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
        this.problems.push(errorAt(keyAt, 'a key must be a plain text', 'write a text before the colon'));
        continue;
      }
      const key = String(pair.key.source ?? pair.key.value);
      const before = own.get(key);
      if (before !== undefined) {
        const first = `it is at line ${before.keyAt.line} too`;
        this.problems.push(
          errorAt(keyAt, `the key '${key}' is given twice in the same mapping: ${first}`, 'keep one'),
        );
        continue;
      }
      const value =
        pair.value === null
          ? { kind: 'scalar' as const, value: null, at: keyAt }
          : this.convert(pair.value, depth + 1);
      own.set(key, {
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
      this.problems.push(
        errorAt(keyAt, '<< must name a mapping or a list of mappings', 'give it an alias of a mapping'),
      );
      return false;
    });
  }
}

function toScalar(value: unknown, source: string | undefined): string | number | boolean | null {
  if (typeof value === 'number') {
    // JSON has no infinity, and an id of twenty digits would come back as another one.
    const isExact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return isExact ? value : (source ?? String(value));
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return value === null || value === undefined ? null : String(value);
}

function isMergeKey(key: YamlNode | null): boolean {
  return isScalar(key) && key.source === '<<' && key.type === 'PLAIN';
}

/** An empty value has a range of no length; its key is the better place to point at. */
function isPlaced(value: YamlNode | null): boolean {
  return value?.range !== undefined && value.range !== null && value.range[0] !== value.range[1];
}
