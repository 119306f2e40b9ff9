// The words of one template action.

import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt, type Position } from '../problem.ts';

export interface ActionPart {
  readonly kind: 'text' | 'number' | 'name' | 'path' | 'mark';
  readonly text: string;
  /** Without a space before it. */
  readonly isAttached: boolean;
}

const PART =
  /(?<space>\s+)|(?<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<path>\$\w*(?:\.\w+)*|(?:\.\w+)+|\.)|(?<number>-?\d+(?:\.\d+)?)|(?<name>[A-Za-z_]\w*)|(?<mark>:=|[=|(),])/y;

export function readActionParts(source: string, at: Position): ActionPart[] {
  const parts: ActionPart[] = [];
  let isAttached = false;
  PART.lastIndex = 0;
  while (PART.lastIndex < source.length) {
    const from = PART.lastIndex;
    const groups = PART.exec(source)?.groups;
    if (groups === undefined)
      throw new BundleError([
        errorAt(at, `'${source.slice(from).trim().slice(0, 20)}' is not understood in a template`),
      ]);
    const { space, text, path, number, name, mark } = groups;
    if (text !== undefined) parts.push({ kind: 'text', text: unquote(text, at), isAttached });
    else if (path !== undefined) parts.push({ kind: 'path', text: path, isAttached });
    else if (number !== undefined) parts.push({ kind: 'number', text: number, isAttached });
    else if (name !== undefined) parts.push({ kind: 'name', text: name, isAttached });
    else if (mark !== undefined) parts.push({ kind: 'mark', text: mark, isAttached });
    isAttached = space === undefined;
  }
  return parts;
}

function unquote(quoted: string, at: Position): string {
  if (quoted.startsWith('`')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch (cause) {
    throw new BundleError([errorAt(at, `${quoted} is no text: one of its escapes is unknown`)], { cause });
  }
}
