/** Our bug, not the caller's mistake: ends the request or the loop turn and is logged with its cause. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}
