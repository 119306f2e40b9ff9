/** One host in memory. Its "journal" is the map of attempts. */
import fs from 'node:fs';
import path from 'node:path';
import type { AttemptDocument, ResultDocument } from '../../protocol.ts';
import { protocolVersion } from '../../protocol.ts';
import type { HostConnection, HostDeath } from '../host-backend.ts';
import {
  type FromHost,
  type HostedAttempt,
  type HostedEnd,
  hostProtocolVersion,
  type ToHost,
} from '../host-protocol.ts';
import type { FakeBehaviour, FakeScript } from './fake-script.ts';

export interface FakeHost {
  readonly died: Promise<HostDeath>;
  connect(): HostConnection;
  die(message: string): void;
}

interface FakeAttempt {
  hosted: HostedAttempt;
  readonly folder: string;
  timer: NodeJS.Timeout | null;
}

export interface FakeHostOptions {
  readonly hostKey: string;
  readonly clusterId: string;
  readonly pid: number;
  readonly clock: { nowMs(): number };
  readonly script: FakeScript;
}

export function createFakeHost(options: FakeHostOptions): FakeHost {
  const { hostKey, clusterId, pid, clock, script } = options;
  const attempts = new Map<number, FakeAttempt>();
  let tell: (frame: FromHost) => void = () => undefined;
  let isDead = false;
  const { promise: died, resolve: provenDead } = Promise.withResolvers<HostDeath>();

  function hear(frame: ToHost): void {
    if (isDead) return;
    switch (frame.op) {
      case 'prepare': {
        const { attempt_id, epoch, folder } = frame;
        const hosted = { attempt_id, epoch, state: 'held', pid, started_at_ms: null } as const;
        attempts.set(attempt_id, { hosted, folder, timer: null });
        return tell({ op: 'prepared', attempt_id, epoch, pid });
      }
      case 'go':
        return go(attempts.get(frame.attempt_id), frame.epoch);
      case 'drop':
      case 'stop':
        return stop(attempts.get(frame.attempt_id), frame.epoch);
      case 'ack':
        attempts.delete(frame.attempt_id);
        return;
      case 'shutdown':
        return die('the host was shut down');
      case 'hello':
      case 'warm':
        return;
    }
  }

  function go(attempt: FakeAttempt | undefined, epoch: number): void {
    if (attempt?.hosted.state !== 'held' || attempt.hosted.epoch !== epoch) return;
    const { attempt_id } = attempt.hosted;
    const at_ms = clock.nowMs();
    attempt.hosted = { ...attempt.hosted, state: 'started', started_at_ms: at_ms };
    tell({ op: 'started', attempt_id, epoch, pid, at_ms });
    // The worker wrote it.
    const document = JSON.parse(
      fs.readFileSync(path.join(attempt.folder, 'attempt.json'), 'utf8'),
    ) as AttemptDocument;
    const behaviour = script(document);
    fs.appendFileSync(path.join(attempt.folder, 'output.log'), behaviour.output ?? '');
    if (behaviour.kind === 'hang') return;
    attempt.timer = setTimeout(() => endAsTold(attempt, behaviour), behaviour.afterMs ?? 0);
  }

  function endAsTold(attempt: FakeAttempt, behaviour: Exclude<FakeBehaviour, { kind: 'hang' }>): void {
    if (isDead) return;
    const messages = Object.entries(behaviour.taskValues ?? {}).map(([name, value]) => ({
      kind: 'task_value',
      name,
      value,
    }));
    const lines = messages.map((message) => `${JSON.stringify(message)}\n`).join('');
    fs.writeFileSync(path.join(attempt.folder, 'messages.jsonl'), lines);
    if (behaviour.kind === 'host_dies') return die('the host was killed');
    const result = resultOf(behaviour);
    if (result !== null) fs.writeFileSync(path.join(attempt.folder, 'result.json'), JSON.stringify(result));
    if (behaviour.kind === 'signal')
      return end(attempt, { exit_code: null, signal: behaviour.signal, stopped: false });
    const exit_code = behaviour.kind === 'exit' ? behaviour.code : behaviour.kind === 'fail' ? 1 : 0;
    end(attempt, { exit_code, signal: null, stopped: false });
  }

  function stop(attempt: FakeAttempt | undefined, epoch: number): void {
    if (attempt === undefined || attempt.hosted.epoch !== epoch || attempt.hosted.state === 'ended') return;
    if (attempt.timer !== null) clearTimeout(attempt.timer);
    if (attempt.hosted.state === 'started')
      return end(attempt, { exit_code: null, signal: 15, stopped: true });
    attempts.delete(attempt.hosted.attempt_id);
    tell({ op: 'dropped', attempt_id: attempt.hosted.attempt_id, epoch });
  }

  function end(attempt: FakeAttempt, how: Pick<HostedEnd, 'exit_code' | 'signal' | 'stopped'>): void {
    const { attempt_id, epoch } = attempt.hosted;
    const hostedEnd = { ...how, started: true, at_ms: clock.nowMs(), log_truncated: false };
    attempt.hosted = { ...attempt.hosted, state: 'ended', end: hostedEnd };
    tell({ op: 'ended', attempt_id, epoch, ...hostedEnd });
  }

  function die(message: string): void {
    isDead = true;
    for (const { timer } of attempts.values()) if (timer !== null) clearTimeout(timer);
    provenDead({ message, attempts: [...attempts.values()].map(({ hosted }) => hosted) });
  }

  function connect(): HostConnection {
    const early: FromHost[] = [];
    let listener = (frame: FromHost): unknown => early.push(frame);
    let isOpen = true;
    tell = (frame) => queueMicrotask(() => isOpen && listener(frame));
    const hosted = [...attempts.values()].map((attempt) => attempt.hosted);
    return {
      hostKey,
      clusterId,
      hello: { op: 'hello', version: hostProtocolVersion, pid, spark: 'none', attempts: hosted },
      send: (frames) => frames.forEach(hear),
      listen(hearFrame) {
        listener = hearFrame;
        early.splice(0).forEach(hearFrame);
      },
      died,
      close() {
        isOpen = false;
      },
    };
  }

  return { died, connect, die };
}

function resultOf(behaviour: FakeBehaviour): ResultDocument | null {
  if (behaviour.kind === 'succeed') {
    const said = behaviour.exitValue === undefined ? {} : { exit_value: behaviour.exitValue };
    return { version: protocolVersion, state: 'succeeded', ...said };
  }
  if (behaviour.kind !== 'fail') return null;
  const failure = {
    code: 'RUN_EXECUTION_ERROR',
    message: 'Exception: told to fail',
    trace: null,
    ...behaviour.failure,
  } as const;
  return { version: protocolVersion, state: 'failed', failure };
}
