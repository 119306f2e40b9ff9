/** Enough to recognise the text by; operands and inputs may be megabytes. */
const charsShownMax = 100;

/** For messages: in quotes, and cut where it is long. */
export function quoteText(text: string): string {
  if (text.length <= charsShownMax) return `'${text}'`;
  return `'${text.slice(0, charsShownMax).replace(/[\ud800-\udbff]$/, '')}…' (${text.length} characters)`;
}
