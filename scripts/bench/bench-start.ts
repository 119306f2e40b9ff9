/** `headrace up --detach` of a state folder that has been used before, to the moment it is ready; and `down`. */
import { readRuntime, timeBarePythons } from './baselines.ts';
import { withInstalledServer } from './installed-server.ts';
import { inMs, median, printRow } from './statistics.ts';

const starts = 5;
const pythons = 10;

export async function benchStart(): Promise<void> {
  const runtime = readRuntime();
  await withInstalledServer(async (server) => {
    const firstMs = await server.up();
    await server.down();
    const ups: number[] = [];
    const downs: number[] = [];
    const bares: number[] = [];
    for (let turn = 0; turn < starts; turn++) {
      bares.push(timeBarePythons(runtime, pythons) / pythons);
      ups.push(await server.up());
      downs.push(await server.down());
    }
    const up = median(ups);
    const bare = median(bares);
    printRow('headrace up, first start of a folder', inMs(firstMs), '');
    printRow('headrace up, warm, to ready', inMs(up), 'target 2500 ms');
    printRow('one bare `python -I -S -c pass`', inMs(bare), `ratio ${(up / bare).toFixed(1)}`);
    printRow('headrace down', inMs(median(downs)), '');
  });
}
