/** What a soak found, beside what it may be. */
import type { SoakResult } from './run-soak.ts';

/** Of memory, between the two measures of one host; and how many more files, threads and gateways there may be. */
const growthMax = 0.05;
const countMax = 5;

export function formatSoak(result: SoakResult): {
  readonly lines: readonly string[];
  readonly isGood: boolean;
} {
  const { before, after, results, messages, hostsLeft, processesLeft } = result;
  let isGood = true;
  const judge = (holds: boolean) => {
    isGood &&= holds;
    return holds ? 'ok' : 'MISSED';
  };
  const memory = (name: string, one: number, other: number) => {
    const growth = other / one - 1;
    const verdict = judge(growth <= growthMax);
    return `${name.padEnd(28)} ${inMb(one)} → ${inMb(other)}  ${(growth * 100).toFixed(1)} %  ${verdict}`;
  };
  const count = (name: string, one: number, other: number) =>
    `${name.padEnd(28)} ${one} → ${other}  ${judge(other - one <= countMax)}`;
  const none = (name: string, left: readonly string[]) =>
    `${name.padEnd(28)} ${left.length}  ${judge(left.length === 0)}${left.map((line) => `\n  ${line}`).join('')}`;
  const processes = ['host', 'zygote', 'driver'] as const;
  const lines = [
    `after ${(result.elapsedMs / 1_000).toFixed(0)} s`,
    `${'tasks by result'.padEnd(28)} ${[...results].map(([name, number]) => `${name} ${number}`).join(', ')}  ${judge(messages.length === 0)}`,
    ...messages.slice(0, 10).map((message) => `  ${message}`),
    memory('private memory of the host', before.host.bytes, after.host.bytes),
    memory('private memory of the zygote', before.zygote.bytes, after.zygote.bytes),
    memory('heap after a collection', before.heapBytes, after.heapBytes),
    ...processes.map((name) => count(`files of the ${name}`, before[name].files, after[name].files)),
    ...processes.map((name) => count(`threads of the ${name}`, before[name].threads, after[name].threads)),
    ...moreThreads(before.threads, after.threads),
    count('gateways of the driver', before.driver.listeners, after.driver.listeners),
    `${'private memory of the driver'.padEnd(28)} ${inMb(before.driver.bytes)} → ${inMb(after.driver.bytes)}`,
    none('hosts that stayed', hostsLeft),
    none('processes left', processesLeft),
  ];
  return { lines, isGood };
}

/** Which threads they are, where there are more. */
function moreThreads(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): string[] {
  return Object.entries(after)
    .map(([name, number]) => [name, number - (before[name] ?? 0)] as const)
    .filter(([, more]) => more > 1)
    .sort(([, one], [, other]) => other - one)
    .slice(0, 10)
    .map(([name, more]) => `  ${more} more of ${name}`);
}

const inMb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
