/**
 * Stands in for the server process: locks nothing, keeps nothing, but writes server.json, answers /readyz and makes
 * sign-in links. FAKE_FAILS makes it end at once, with a word in its log; FAKE_RUNNING tasks run, FAKE_HAS_NO_UI leaves
 * pages out.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { proveProcess } from '../local/process-proof.ts';

const stateDir = process.env.HEADRACE_STATE_DIR ?? '';
const file = (name: string) => path.join(stateDir, name);

if (process.env.FAKE_FAILS) {
  console.error(
    '{"level":30,"msg":"starting"}\n{"level":50,"msg":"no fire brigade"}\nthe database is on fire',
  );
  process.exit(7);
}

console.log('admin token, shown only now: hr_first');
const { dev, ino } = statSync(stateDir);
const folder = { path: stateDir, id: `${dev}:${ino}` };
writeFileSync(file('server.lock.1'), JSON.stringify({ ...(await proveProcess(process.pid)), folder }));
const server = createServer((request, response) => {
  const bodies: Record<string, unknown> = {
    '/readyz': { status: 'ready' },
    '/api/headrace/status': {
      ...{ version: '0', started_at_ms: 0, hosts: [], loops: [], runs: { queued: 0, running: 0 } },
      workers: [{ worker_id: 'mine', slots: 8, running: Number(process.env.FAKE_RUNNING ?? 0) }],
    },
  };
  if (request.url === '/' && process.env.FAKE_HAS_NO_UI) response.statusCode = 404;
  response.end(JSON.stringify(bodies[request.url ?? ''] ?? { url: 'http://link/once', expires_at: 1 }));
});
// Like the server: 0 means the kept port, if there is one.
const kept = existsSync(file('settings.json'))
  ? JSON.parse(readFileSync(file('settings.json'), 'utf8')).port
  : 0;
server.listen(Number(process.env.HEADRACE_PORT || 8_080) || kept, '127.0.0.1', () => {
  // Listening on a port, not on a pipe.
  const { port } = server.address() as AddressInfo;
  writeFileSync(file('settings.json'), JSON.stringify({ port, worker_id: 'mine' }));
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(file('server.json'), JSON.stringify({ url, token: 'local', pid: process.pid }), {
    mode: 0o600,
  });
});
process.on('SIGTERM', () => {
  rmSync(file('server.json'));
  writeFileSync(file('server.lock.1'), '{"released":true}');
  process.exit(0);
});
