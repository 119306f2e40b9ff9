// Reads a template text in the syntax of Go's text/template, as far as project templates use it: actions, pipelines,
// if/else, range, with, define/template, variables, comments and trim marks.

import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt, type Position } from '../problem.ts';
import { type ActionPart, readActionParts } from './template-action.ts';

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipeline: Pipeline; readonly at: Position }
  | {
      readonly kind: 'set';
      readonly name: string;
      readonly declares: boolean;
      readonly pipeline: Pipeline;
      readonly at: Position;
    }
  | {
      readonly kind: 'if' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
      readonly at: Position;
    }
  | {
      readonly kind: 'range';
      /** `$index, $element`, or the element alone. */
      readonly names: readonly string[];
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
      readonly at: Position;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly pipeline: Pipeline | null;
      readonly at: Position;
    };

/** Commands; each but the first gets the value of the one before as its last argument. */
export type Pipeline = readonly Command[];
export interface Command {
  readonly operands: readonly Operand[];
}
export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'function'; readonly name: string }
  /** `.a.b`, `$.a`, `$name.a`: where it begins, and the fields after it. */
  | { readonly kind: 'path'; readonly start: string; readonly fields: readonly string[] }
  | { readonly kind: 'group'; readonly pipeline: Pipeline; readonly fields: readonly string[] };

export interface ParsedTemplate {
  readonly nodes: readonly TemplateNode[];
  /** By `define`. */
  readonly definitions: ReadonlyMap<string, readonly TemplateNode[]>;
}

/** Deeper nesting is no template that a person wrote. */
const depthMax = 100;

export function parseTemplate(text: string, file: string): ParsedTemplate {
  const parser = new Parser(cutTemplate(text, file));
  const nodes = parser.readBlock([], 0);
  return { nodes: nodes.nodes, definitions: parser.definitions };
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly parts: readonly ActionPart[]; readonly at: Position };

/** Text and actions by turns, trim marks applied and comments left out. */
function cutTemplate(text: string, file: string): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  let trimsNext = false;
  for (;;) {
    const start = text.indexOf('{{', position);
    let plain = text.slice(position, start === -1 ? undefined : start);
    if (trimsNext) plain = plain.trimStart();
    if (start === -1) return [...pieces, { kind: 'text', text: plain }];
    const at = positionAt(text, start, file);
    const trimsBefore = /^-\s/.test(text.slice(start + 2, start + 4));
    const inner = start + (trimsBefore ? 3 : 2);
    const end = findActionEnd(text, inner, at);
    const source = text.slice(inner, end);
    trimsNext = /\s-$/.test(source);
    pieces.push({ kind: 'text', text: trimsBefore ? plain.trimEnd() : plain });
    const body = trimsNext ? source.slice(0, -1) : source;
    if (!body.trim().startsWith('/*')) pieces.push({ kind: 'action', parts: readActionParts(body, at), at });
    position = end + 2;
  }
}

function positionAt(text: string, offset: number, file: string): Position {
  const before = text.slice(0, offset);
  return {
    file,
    line: before.split('\n').length,
    column: offset - (before.lastIndexOf('\n') + 1) + 1,
  };
}

/** `}}` within a quoted text or a comment does not end the action. */
function findActionEnd(text: string, from: number, at: Position): number {
  const comment = /^\s*\/\*/.exec(text.slice(from, from + 200));
  let index = from;
  if (comment !== null) {
    const closed = text.indexOf('*/', from);
    if (closed === -1) throw failAt(at, 'this comment is not closed with */');
    index = closed;
  }
  const token = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|\}\}/g;
  token.lastIndex = index;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '}}') return found.index;
  }
  throw failAt(at, 'this action is not closed with }}');
}

export function failAt(at: Position, message: string): BundleError {
  return new BundleError([errorAt(at, message)]);
}

class Parser {
  readonly definitions = new Map<string, readonly TemplateNode[]>();
  private readonly pieces: readonly Piece[];
  private index = 0;

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces;
  }

  /** Up to one of the words, which is taken too; without words up to the end of the text. */
  readBlock(
    until: readonly string[],
    depth: number,
    opened?: Position,
  ): { nodes: TemplateNode[]; end: ActionReader | null } {
    const nodes: TemplateNode[] = [];
    for (let piece = this.pieces[this.index]; piece !== undefined; piece = this.pieces[this.index]) {
      this.index += 1;
      if (piece.kind === 'text') {
        if (piece.text !== '') nodes.push(piece);
        continue;
      }
      const reader = new ActionReader(piece.parts, piece.at);
      if (depth > depthMax) throw failAt(piece.at, `blocks are nested more than ${depthMax} deep`);
      if (until.includes(reader.word)) return { nodes, end: reader };
      if (reader.word === 'end' || reader.word === 'else')
        throw failAt(piece.at, `{{${reader.word}}} stands outside of a block`);
      const node = this.readNode(reader, depth);
      if (node !== null) nodes.push(node);
    }
    if (opened !== undefined) throw failAt(opened, 'this block has no {{end}}');
    return { nodes, end: null };
  }

  private readNode(reader: ActionReader, depth: number): TemplateNode | null {
    const { at, word } = reader;
    switch (word) {
      case 'if':
      case 'with':
        reader.skip();
        return { kind: word, pipeline: reader.readPipeline(), at, ...this.readBranches(at, depth) };
      case 'range': {
        reader.skip();
        const names = reader.readNames();
        return { kind: 'range', names, pipeline: reader.readPipeline(), at, ...this.readBranches(at, depth) };
      }
      case 'define': {
        reader.skip();
        const name = reader.readText();
        reader.expectEnd();
        this.definitions.set(name, this.readBlock(['end'], depth + 1, at).nodes);
        return null;
      }
      case 'template': {
        reader.skip();
        const name = reader.readText();
        return { kind: 'call', name, pipeline: reader.isAtEnd ? null : reader.readPipeline(), at };
      }
      default:
        return reader.readAssignment() ?? { kind: 'output', pipeline: reader.readPipeline(), at };
    }
  }

  private readBranches(at: Position, depth: number) {
    const { nodes, end } = this.readBlock(['else', 'end'], depth + 1, at);
    if (end?.word !== 'else') return { body: nodes, otherwise: [] };
    end.skip();
    if (end.isAtEnd) return { body: nodes, otherwise: this.readBlock(['end'], depth + 1, at).nodes };
    // `{{else if …}}` shares the {{end}} of the block it stands in.
    const chained = this.readNode(end, depth + 1);
    return { body: nodes, otherwise: chained === null ? [] : [chained] };
  }
}

/** Takes an action apart, word by word. */
class ActionReader {
  readonly at: Position;
  private readonly parts: readonly ActionPart[];
  private index = 0;

  constructor(parts: readonly ActionPart[], at: Position) {
    this.parts = parts;
    this.at = at;
    if (parts.length === 0) throw failAt(at, 'this action is empty');
  }

  /** The name it begins with, which may be that of a block; '' when it begins otherwise. */
  get word(): string {
    const part = this.parts[this.index];
    return part?.kind === 'name' ? part.text : '';
  }

  get isAtEnd(): boolean {
    return this.index >= this.parts.length;
  }

  skip(): void {
    this.index += 1;
  }

  expectEnd(): void {
    if (!this.isAtEnd) throw failAt(this.at, `'${this.parts[this.index]?.text}' is too much here`);
  }

  readText(): string {
    const part = this.parts[this.index];
    if (part?.kind !== 'text') throw failAt(this.at, 'a name in quotes is expected here');
    this.skip();
    return part.text;
  }

  /** `$i, $x :=` of a range. */
  readNames(): string[] {
    const end = this.parts.findIndex((part) => part.kind === 'mark' && part.text === ':=');
    if (end === -1) return [];
    const names = this.parts.slice(this.index, end).filter((part) => part.text !== ',');
    if (names.length < 1 || names.length > 2 || names.some((part) => part.kind !== 'path'))
      throw failAt(this.at, 'range takes one or two variables before :=');
    this.index = end + 1;
    return names.map((part) => part.text);
  }

  readAssignment(): TemplateNode | null {
    const [name, sign] = this.parts;
    if (name?.kind !== 'path' || sign?.kind !== 'mark' || (sign.text !== ':=' && sign.text !== '='))
      return null;
    if (!/^\$\w+$/.test(name.text)) throw failAt(this.at, `${name.text} is no variable`);
    this.index = 2;
    const declares = sign.text === ':=';
    return { kind: 'set', name: name.text, declares, pipeline: this.readPipeline(), at: this.at };
  }

  readPipeline(depth = 0): Pipeline {
    if (depth > depthMax) throw failAt(this.at, `brackets are nested more than ${depthMax} deep`);
    const commands: Command[] = [];
    do commands.push(this.readCommand(depth));
    while (this.takeMark('|'));
    if (depth === 0) this.expectEnd();
    return commands;
  }

  private readCommand(depth: number): Command {
    const operands: Operand[] = [];
    for (let part = this.parts[this.index]; part !== undefined; part = this.parts[this.index]) {
      if (part.kind === 'mark' && part.text !== '(') break;
      this.skip();
      operands.push(this.toOperand(part, depth));
    }
    if (operands.length === 0) throw failAt(this.at, 'a value is missing in this action');
    return { operands };
  }

  private toOperand(part: ActionPart, depth: number): Operand {
    switch (part.kind) {
      case 'text':
        return { kind: 'literal', value: part.text };
      case 'number':
        return { kind: 'literal', value: Number(part.text) };
      case 'name':
        if (part.text === 'nil') return { kind: 'literal', value: null };
        if (part.text === 'true' || part.text === 'false')
          return { kind: 'literal', value: part.text === 'true' };
        return { kind: 'function', name: part.text };
      case 'path': {
        const [start = '', ...fields] = part.text.split('.');
        return { kind: 'path', start, fields: fields.filter((field) => field !== '') };
      }
      case 'mark': {
        const pipeline = this.readPipeline(depth + 1);
        if (!this.takeMark(')')) throw failAt(this.at, 'a bracket is not closed');
        const next = this.parts[this.index];
        // `(regexp "…").MatchString`: the field belongs to the bracket only without a space between.
        if (next?.kind !== 'path' || !next.isAttached) return { kind: 'group', pipeline, fields: [] };
        this.skip();
        return { kind: 'group', pipeline, fields: next.text.split('.').filter((field) => field !== '') };
      }
    }
  }

  private takeMark(text: string): boolean {
    const part = this.parts[this.index];
    if (part?.kind !== 'mark' || part.text !== text) return false;
    this.skip();
    return true;
  }
}
