/**
 * `npm run acceptance -- FOLDER [--spark]`: the job documents of the acceptance examples, run for real on a server of
 * their own. Those that need no Spark run beside each other; they wait for retries, three minutes in all.
 * `npm run acceptance -- FOLDER --bundles [wheel|medallion]`: the commands for the bundles in FOLDER.
 */
import { parseArgs } from 'node:util';
import { bundleSteps } from './acceptance/bundle-expectations.ts';
import { expectations } from './acceptance/expectations.ts';
import { play, playBadInput, prepare } from './acceptance/play.ts';
import { playBundles } from './acceptance/play-bundles.ts';
import { playCalls } from './acceptance/play-calls.ts';
import { withInstalledServer } from './bench/installed-server.ts';

const { values, positionals } = parseArgs({
  options: { spark: { type: 'boolean', default: false }, bundles: { type: 'string' } },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('name the folder with the job documents');
  process.exit(2);
}

await withInstalledServer(async (server) => {
  await server.up();
  const client = await server.client();
  const tell = (name: string, problems: readonly string[]) => {
    console.log(`${problems.length === 0 ? 'ok    ' : 'DIFFER'} ${name}`);
    for (const problem of problems) console.log(`       ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
  };
  if (values.bundles !== undefined) {
    const steps = bundleSteps.filter(({ bundle }) => bundle.startsWith(values.bundles ?? ''));
    await playBundles({ client, ...(await server.address()) }, folder, steps, tell);
    return;
  }
  const place = { folder, made: await prepare(client, folder) };
  tell('bad', await playBadInput(client, folder));
  tell('calls', await playCalls(client, folder));
  const light = expectations.filter(({ needsSpark }) => !needsSpark);
  await Promise.all(light.map(async (each) => tell(each.file, await play(client, place, each))));
  if (!values.spark) return;
  for (const each of expectations.filter(({ needsSpark }) => needsSpark)) {
    tell(each.file, await play(client, place, each));
  }
});
