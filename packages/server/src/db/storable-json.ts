/**
 * JSON that PostgreSQL can keep. It refuses NUL and halves of surrogate pairs, which programs do print; they become
 * the replacement character. `JSON.stringify` writes exactly these as escapes.
 */
export function toStorableJson(value: unknown): string {
  const text = JSON.stringify(value);
  return unstorable.test(text) ? text.replace(unstorableEverywhere, '$1\\ufffd') : text;
}

/** True when storing `value` would change it. */
export function isStorable(value: unknown): boolean {
  return !unstorable.test(JSON.stringify(value) ?? '');
}

/** An even number of backslashes before it: else the backslash itself is escaped, and the rest is plain text. */
const unstorable = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/;
const unstorableEverywhere = new RegExp(unstorable, 'g');
