/** `npm run sql-lives`: limits, cancels, queues, sessions, idleness and two servers on a real SQL warehouse; `--only text`. */
import { parseArgs } from 'node:util';
import { lives } from './sql-kills/lives.ts';
import { withTwoServers } from './sql-kills/two-servers.ts';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });

await withTwoServers(async (servers) => {
  const [warehouse] = (await servers.whole.warehousesList({})).warehouses;
  for (const { name, play } of lives.filter((life) => life.name.includes(values.only))) {
    const begunMs = performance.now();
    const failure = await play(servers, warehouse?.id ?? '').then(
      () => null,
      (error: unknown) => error,
    );
    const elapsed = `${((performance.now() - begunMs) / 1000).toFixed(1)} s`;
    if (failure === null) console.log(`ok      ${name} (${elapsed})`);
    else console.error(`FAILED  ${name} (${elapsed})`, failure);
    if (failure !== null) process.exitCode = 1;
  }
});
