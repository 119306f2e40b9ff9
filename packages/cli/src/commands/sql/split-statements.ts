/**
 * Cuts a text of SQL at the semicolons that are code: not in quotes or comments, and not within `BEGIN … END`. The server's
 * parser has the last word; this only has to know where a statement may end.
 */

export interface SplitText {
  readonly statements: readonly SqlStatement[];
  /** What follows the last semicolon, comments left as they are; empty where nothing does. */
  readonly rest: string;
}

export interface SqlStatement {
  readonly text: string;
  /** Of the text, counted from 1. */
  readonly line: number;
}

const quotes = String.raw`(?<![A-Za-z0-9_])[rR]'[^']*'|(?<![A-Za-z0-9_])[rR]"[^"]*"|'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|${'`'}[^${'`'}]*${'`'}|\$\$[\s\S]*?\$\$`;
const tokens = new RegExp(
  `(?<quoted>${quotes})|(?<line>--(?:\\\\\\n|[^\\n])*)|(?<block>/\\*)|(?<end>;)|(?<open>['"\`]|\\$\\$)|(?<word>[A-Za-z_]\\w*)`,
  'g',
);
const blockOpeners: ReadonlySet<string> = new Set(['IF', 'WHILE', 'FOR', 'LOOP', 'REPEAT']);
/** Words after which a statement of a script begins. */
const beginners: ReadonlySet<string> = new Set([
  '',
  ';',
  'BEGIN',
  'THEN',
  'ELSE',
  'DO',
  'LOOP',
  'REPEAT',
  ':',
]);

export function splitStatements(text: string): SplitText {
  const statements: SqlStatement[] = [];
  let start = 0;
  for (const end of findEnds(text)) {
    add(statements, text, start, end);
    start = end + 1;
  }
  const rest = text.slice(start);
  return { statements, rest: hasCode(rest) ? rest.trim() : '' };
}

/** Those of the text, with what follows the last semicolon as one more. */
export function splitAll(text: string): readonly SqlStatement[] {
  const { statements, rest } = splitStatements(text);
  if (rest === '') return statements;
  return [...statements, { text: rest, line: lineOf(text, text.lastIndexOf(rest)) }];
}

function* findEnds(text: string): Iterable<number> {
  const script = new ScriptDepth();
  for (const token of readTokens(text)) {
    // The rest of it is within quotes or a comment.
    if (token.kind === 'open') return;
    if (token.kind === 'word') script.read(token.text.toUpperCase(), text.slice(token.end));
    if (token.kind !== 'end') continue;
    if (script.depth === 0) {
      yield token.start;
      script.reset();
    } else script.note(';');
  }
}

interface Token {
  readonly kind: 'quoted' | 'comment' | 'end' | 'open' | 'word';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function* readTokens(text: string): Iterable<Token> {
  const pattern = new RegExp(tokens);
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const found = match.groups ?? {};
    const at = { text: match[0], start: match.index };
    if (found.block !== undefined) {
      const end = endOfBlock(text, pattern.lastIndex);
      if (end === null) return yield { kind: 'open', ...at, end: text.length };
      pattern.lastIndex = end;
      yield { kind: 'comment', ...at, end };
      continue;
    }
    const kind =
      found.quoted !== undefined
        ? 'quoted'
        : found.line !== undefined
          ? 'comment'
          : found.end !== undefined
            ? 'end'
            : found.open !== undefined
              ? 'open'
              : 'word';
    yield { kind, ...at, end: pattern.lastIndex };
  }
}

/** Comments nest. Null for one that is not closed. */
function endOfBlock(text: string, from: number): number | null {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = from;
  let depth = 1;
  for (let match = edge.exec(text); match; match = edge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return null;
}

/** How many blocks of a script are open. Only a statement that begins with BEGIN is one. */
class ScriptDepth {
  depth = 0;
  #previous = '';
  #isScript = false;

  reset(): void {
    this.depth = 0;
    this.#previous = '';
    this.#isScript = false;
  }

  note(word: string): void {
    this.#previous = word;
  }

  read(word: string, following: string): void {
    const isLabel = /^\s*:(?!:)/.test(following);
    if (this.#previous === '' && word === 'BEGIN' && !/^\s+transaction\b/i.test(following)) {
      this.#isScript = true;
      this.depth = 1;
    } else if (this.#isScript) this.#readInScript(word);
    this.#previous = isLabel && this.#previous === '' ? '' : isLabel ? ':' : word;
  }

  #readInScript(word: string): void {
    if (word === 'END') this.depth -= 1;
    else if (this.#previous === 'END') return;
    else if (word === 'BEGIN' || word === 'CASE') this.depth += 1;
    else if (blockOpeners.has(word) && beginners.has(this.#previous)) this.depth += 1;
  }
}

function add(statements: SqlStatement[], text: string, start: number, end: number): void {
  const raw = text.slice(start, end);
  if (!hasCode(raw)) return;
  const lead = raw.length - raw.trimStart().length;
  statements.push({ text: raw.trim(), line: lineOf(text, start + lead) });
}

function hasCode(text: string): boolean {
  let at = 0;
  for (const token of readTokens(text)) {
    if (text.slice(at, token.start).trim() !== '' || token.kind !== 'comment') return true;
    at = token.end;
  }
  return text.slice(at).trim() !== '';
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
