/** Every help text ends with an example. */
export function example(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ headrace ${line}`).join('\n')}\n`;
}
