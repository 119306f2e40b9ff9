/** Colour for terminals only; it is never the only signal. */
import type { CliContext, Output } from '../cli-context.ts';

export type Tone = 'good' | 'bad' | 'quiet';

const codes: Readonly<Record<Tone, number>> = { good: 32, bad: 31, quiet: 2 };

export function styleText(context: CliContext, output: Output, text: string, tone: Tone): string {
  if (!output.isTty || context.settings.noColor) return text;
  return `\u001b[${codes[tone]}m${text}\u001b[0m`;
}
