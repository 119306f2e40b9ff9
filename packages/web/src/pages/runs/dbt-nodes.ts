/** How the nodes of a dbt project came out, in words and signs. Pure. */
import type { DbtOutput } from '@headrace/api';
import type { Outcome } from '../../ui/outcome.ts';

type Command = NonNullable<DbtOutput['headrace']>['commands'][number];
export type DbtNode = Command['results'][number];

const outcomes: Readonly<Record<string, Outcome>> = {
  success: { label: 'success', sign: '✓', tone: 'good' },
  pass: { label: 'pass', sign: '✓', tone: 'good' },
  error: { label: 'error', sign: '✕', tone: 'bad' },
  fail: { label: 'fail', sign: '✕', tone: 'bad' },
  'runtime error': { label: 'runtime error', sign: '✕', tone: 'bad' },
  'partial success': { label: 'partial success', sign: '!', tone: 'warn' },
  warn: { label: 'warn', sign: '!', tone: 'warn' },
  skipped: { label: 'skipped', sign: '–', tone: 'muted' },
};

/** In dbt's own word. */
export function outcomeOfNode({ status }: Pick<DbtNode, 'status'>): Outcome {
  return outcomes[status] ?? { label: status, sign: '?', tone: 'muted' };
}

/** `model.shop.east` is the model east; of a test the hash behind its name tells people nothing. */
export function nameOfNode(uniqueId: string): { readonly kind: string; readonly name: string } {
  const [kind = '', , name = uniqueId] = uniqueId.split('.');
  return { kind, name };
}

/** `7 pass, 1 fail`: the worst first. */
export function summaryOf(nodes: readonly Pick<DbtNode, 'status'>[]): string {
  const order = ['bad', 'warn', 'muted', 'good'];
  const counts = new Map<string, number>();
  for (const { status } of nodes) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => order.indexOf(toneOf(a)) - order.indexOf(toneOf(b)))
    .map(([status, count]) => `${count} ${status}`)
    .join(', ');
}

function toneOf(status: string): string {
  return outcomeOfNode({ status }).tone;
}
