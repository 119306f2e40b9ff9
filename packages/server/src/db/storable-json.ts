/**
 * JSON that PostgreSQL can keep. It refuses NUL and halves of surrogate pairs, which programs do print; they become
 * the replacement character. `JSON.stringify` writes exactly these as escapes.
 */
export function toStorableJson(value: unknown): string {
  const text = JSON.stringify(value);
  return unstorable.test(text) ? text.replace(unstorableEverywhere, '$1\\ufffd') : text;
}

/** Documents that people write are a few levels deep; PostgreSQL's own parser gives up at some thousands. */
const levelsMax = 100;

/** Why `value` cannot be stored as it is; null when it can. */
export function findUnstorable(value: unknown): string | null {
  if (isDeeperThan(value, levelsMax)) return `it is nested more than ${levelsMax} levels deep`;
  if (unstorable.test(JSON.stringify(value) ?? '')) return 'a text in it holds a NUL or half a character';
  return null;
}

/** Level by level: a call for each level would itself be too deep. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
  }
  return false;
}

/** An even number of backslashes before it: else the backslash itself is escaped, and the rest is plain text. */
const unstorable = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/;
const unstorableEverywhere = new RegExp(unstorable, 'g');
