/**
 * Markdown as notebooks use it, read into blocks: headings, paragraphs, lists, code, quotes, rules. Pure;
 * what it does not know stays text. There is no way to write HTML: the page makes elements of these and nothing else.
 */

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'emphasis'; readonly children: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly children: readonly Inline[] };

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly children: readonly Inline[] }
  | { readonly kind: 'paragraph' | 'quote'; readonly children: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string }
  | {
      readonly kind: 'list';
      readonly isOrdered: boolean;
      readonly entries: readonly (readonly Inline[])[];
    }
  | { readonly kind: 'rule' };

const fence = /^\s*(`{3,}|~{3,})/;
const heading = /^(#{1,6})\s+(.*?)\s*#*$/;
const rule = /^\s*([-*_])(?:\s*\1){2,}\s*$/;
const entry = /^\s*(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const quote = /^\s*>\s?(.*)$/;

export function readMarkdown(source: string): Block[] {
  const lines = source.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const { block, next } = readBlock(lines, at);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

function readBlock(lines: readonly string[], at: number): { block: Block | null; next: number } {
  const line = lines[at] ?? '';
  if (line.trim() === '') return { block: null, next: at + 1 };
  const marks = fence.exec(line)?.[1];
  if (marks) return readCode(lines, at, marks);
  const title = heading.exec(line);
  if (title) {
    const level = title[1]?.length ?? 1;
    return { block: { kind: 'heading', level, children: readInline(title[2] ?? '') }, next: at + 1 };
  }
  if (rule.test(line)) return { block: { kind: 'rule' }, next: at + 1 };
  if (entry.test(line)) return readList(lines, at);
  const isQuote = quote.test(line);
  let next = at + 1;
  while (next < lines.length && (isQuote ? quote.test(lines[next] ?? '') : isText(lines[next] ?? ''))) next++;
  const text = lines
    .slice(at, next)
    .map((each) => (isQuote ? (quote.exec(each)?.[1] ?? '') : each.trim()))
    .join('\n');
  return { block: { kind: isQuote ? 'quote' : 'paragraph', children: readInline(text) }, next };
}

/** A line that goes on with the paragraph above it. */
function isText(line: string): boolean {
  return line.trim() !== '' && ![fence, heading, rule, entry, quote].some((pattern) => pattern.test(line));
}

/** Without a closing fence, code goes on to the end. */
function readCode(lines: readonly string[], at: number, marks: string) {
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? '').trim().startsWith(marks)) end++;
  return { block: { kind: 'code' as const, text: lines.slice(at + 1, end).join('\n') }, next: end + 1 };
}

/** One level: what is indented further stands below as an entry of its own. */
function readList(lines: readonly string[], at: number) {
  const texts: string[] = [];
  let next = at;
  const isOrdered = entry.exec(lines[at] ?? '')?.[2] !== undefined;
  for (; next < lines.length; next++) {
    const line = lines[next] ?? '';
    const found = entry.exec(line);
    if (found && !rule.test(line) && (found[2] !== undefined) === isOrdered) texts.push(found[3] ?? '');
    else if (isText(line)) texts.push(`${texts.pop()} ${line.trim()}`);
    else break;
  }
  return { block: { kind: 'list' as const, isOrdered, entries: texts.map(readInline) }, next };
}

/** Each alternative begins with a character that the text before it cannot hold: no input makes this slow. */
const inline =
  /(?<code>`[^`]+`)|\*\*(?<strong>[^*]+)\*\*|__(?<strong2>[^_]+)__|\*(?<em>[^*\s][^*]*)\*|(?<![\w])_(?<em2>[^_\s][^_]*)_(?!\w)|\[(?<label>[^\][]+)\]\((?<href>[^\s()]+)(?:\s+"[^"]*")?\)/g;

function readInline(text: string): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(inline)) {
    if (match.index > from) found.push({ kind: 'text', text: text.slice(from, match.index) });
    found.push(toInline(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ kind: 'text', text: text.slice(from) });
  return found;
}

function toInline(match: RegExpMatchArray): Inline {
  const { code, strong, strong2, em, em2, label = '', href = '' } = match.groups ?? {};
  if (code) return { kind: 'code', text: code.slice(1, -1) };
  if (strong ?? strong2) return { kind: 'strong', children: readInline(strong ?? strong2 ?? '') };
  if (em ?? em2) return { kind: 'emphasis', children: readInline(em ?? em2 ?? '') };
  // Only what leads to a page: a notebook is written by anybody, and `javascript:` would run in this one.
  if (/^(https?:\/\/|mailto:)/i.test(href)) return { kind: 'link', href, children: readInline(label) };
  return { kind: 'text', text: match[0] };
}
