import { expect, test } from 'vitest';
import { HostPool } from './host-pool.ts';
import { createFakeBackend } from './hosts/fake/fake-backend.ts';
import type { HostConnection } from './hosts/host-backend.ts';
import {
  type FromHost,
  type HostedAttempt,
  hostProtocolVersion,
  type ToHost,
} from './hosts/host-protocol.ts';
import { resumeAttempts } from './resume.ts';
import { silentLog } from './testing/memory-source.ts';

const running: HostedAttempt = { attempt_id: 7, epoch: 1, state: 'started', pid: 70, started_at_ms: 1 };
const end = { started: true, exit_code: null, signal: 9, stopped: true, at_ms: 2, log_truncated: false };

/** A host that runs an attempt of a former life; what is said to it is kept, and what it says is the test's. */
function connectHost() {
  const heard: ToHost[] = [];
  let listener: (frame: FromHost) => void = () => undefined;
  const hello = (attempts: readonly HostedAttempt[]) =>
    ({ op: 'hello', version: hostProtocolVersion, pid: 1, spark: 'none', attempts }) as const;
  const connection: HostConnection = {
    ...{ hostKey: 'k', clusterId: 'c', setup: { sparkConf: {}, poolId: null }, hello: hello([running]) },
    send: (frames) => heard.push(...frames),
    listen(listen) {
      listener = listen;
    },
    died: new Promise(() => undefined),
    close: () => undefined,
  };
  return { connection, heard, reconnect: (...attempts: HostedAttempt[]) => listener(hello(attempts)) };
}

function dismissRunning() {
  const host = connectHost();
  const backend = createFakeBackend({ clock: { nowMs: () => 1 } });
  const pool = new HostPool({ backend, report: async () => true, log: silentLog, stopGraceMs: 0 });
  resumeAttempts({ resumed: [], found: [{ kind: 'alive', connection: host.connection }], pool });
  return host;
}

const stop = { op: 'stop', attempt_id: 7, epoch: 1, grace_ms: 0 };

test('what is not ours is stopped again after a broken connection, as long as it runs', () => {
  const { heard, reconnect } = dismissRunning();

  reconnect(running);
  reconnect({ ...running, state: 'ended', end });
  reconnect();

  expect(heard).toEqual([stop, stop, { op: 'ack', attempt_id: 7, epoch: 1 }]);
});

test('what the host has forgotten meanwhile is let go', () => {
  const { heard, reconnect } = dismissRunning();

  reconnect();
  reconnect(running);

  expect(heard.filter(({ op }) => op === 'stop')).toEqual([stop]);
});
