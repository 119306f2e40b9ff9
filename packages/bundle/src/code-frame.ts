// The lines around a place in a file, with carets under the value that stands there.

export interface FrameStyle {
  /** Marks what is not to be read first; without it, the frame is plain text. */
  readonly dim?: (text: string) => string;
  /** Marks the carets. */
  readonly mark?: (text: string) => string;
}

interface Place {
  readonly line: number;
  readonly column: number;
  readonly length?: number;
}

const LINES_BEFORE = 2;
const LINES_AFTER = 1;
/** Of a line that is shown; a configuration that is one long line would fill the screen. */
const WIDTH_MAX = 120;

/** Of the text before a value, to tell whether it stands in brackets. */
const LOOK_BACK_MAX = 2_000;

export function toLines(source: string): string[] {
  return source.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/** null where the file has no such line. */
export function formatCodeFrame(
  lines: readonly string[],
  place: Place,
  style: FrameStyle = {},
): string | null {
  const { dim = plain, mark = plain } = style;
  const text = lines[place.line - 1];
  if (text === undefined || text.trim() === '') return null;
  const start = Math.max(0, Math.min(place.column - 1, text.length));
  const length = Math.max(1, Math.min(place.length ?? lengthOfValue(text, start), text.length - start));
  // A window that has the place in it.
  const from = start < WIDTH_MAX * 0.75 ? 0 : start - WIDTH_MAX / 2;
  const first = Math.max(1, place.line - LINES_BEFORE);
  const last = Math.min(lines.length, place.line + LINES_AFTER);
  const digits = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const shown = toPlainText(lines[number - 1] ?? '').slice(from, from + WIDTH_MAX);
    const isLast = number > place.line;
    if (isLast && shown.trim() === '') continue;
    const gutter = dim(`  ${String(number).padStart(digits)} |`);
    rows.push(`${gutter} ${number === place.line ? shown : dim(shown)}`.trimEnd());
    if (number !== place.line) continue;
    const carets = '^'.repeat(Math.max(1, Math.min(length, WIDTH_MAX - (start - from))));
    rows.push(`${dim(`  ${' '.repeat(digits)} |`)} ${' '.repeat(start - from)}${mark(carets)}`);
  }
  return rows.join('\n');
}

function plain(text: string): string {
  return text;
}

/** A terminal must not obey what a file says, and a tab would move the carets. */
function toPlainText(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => (character === '\t' ? ' ' : '?'));
}

/** How far the value or key goes that begins here, as far as one line can tell. */
function lengthOfValue(text: string, start: number): number {
  const rest = text.slice(start, start + WIDTH_MAX);
  const quoted = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'/.exec(rest);
  if (quoted !== null) return quoted[0].length;
  if (rest.startsWith('{') || rest.startsWith('[')) return lengthOfBrackets(rest);
  const inBrackets = depthOf(text.slice(Math.max(0, start - LOOK_BACK_MAX), start)) > 0;
  for (let index = 0; index < rest.length; index += 1) {
    if (rest.startsWith('${', index) || rest.startsWith('{{', index)) {
      const end = rest.indexOf('}', index);
      if (end !== -1) index = rest.startsWith('}}', end) ? end + 1 : end;
      continue;
    }
    const character = rest[index] ?? '';
    const ends =
      (character === ':' && /^:(\s|$)/.test(rest.slice(index))) ||
      (character === '#' && /\s/.test(rest[index - 1] ?? 'x')) ||
      (inBrackets && ',]}'.includes(character));
    if (ends) return Math.max(1, rest.slice(0, index).trimEnd().length);
  }
  return Math.max(1, rest.trimEnd().length);
}

function lengthOfBrackets(text: string): number {
  for (let index = 1; index <= text.length; index += 1) {
    if (depthOf(text.slice(0, index)) === 0) return index;
  }
  return text.trimEnd().length;
}

/** Brackets that are open at the end, outside of quotes. */
function depthOf(text: string): number {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, '');
  let depth = 0;
  for (const character of bare) {
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth = Math.max(0, depth - 1);
  }
  return depth;
}
