/** One host in memory. Its "journal" is the map of attempts. */
import fs from 'node:fs';
import path from 'node:path';
import type { AttemptDocument, ResultDocument } from '../../protocol.ts';
import { protocolVersion } from '../../protocol.ts';
import type { HostConnection, HostDeath, HostSetup } from '../host-backend.ts';
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
  /** It hears of no end any more that it is durable, as one that is about to die. */
  goDeaf(): void;
  /** Of these. */
  readonly unheard: readonly number[];
  /** By attempt id, what it knows. */
  attemptStates(): ReadonlyMap<number, HostedAttempt['state']>;
}

interface FakeAttempt {
  hosted: HostedAttempt;
  readonly folder: string;
  timer: NodeJS.Timeout | null;
}

export interface FakeHostOptions {
  readonly hostKey: string;
  readonly clusterId: string;
  readonly setup: HostSetup;
  readonly pid: number;
  readonly clock: { nowMs(): number };
  readonly script: FakeScript;
  /** Attempts that are dropped, once, instead of being held. */
  readonly refused: Set<number>;
}

class MemoryHost implements FakeHost {
  readonly died: Promise<HostDeath>;
  readonly unheard: number[] = [];
  readonly #options: FakeHostOptions;
  readonly #attempts = new Map<number, FakeAttempt>();
  readonly #provenDead: (death: HostDeath) => void;
  #tell: (frame: FromHost) => void = () => undefined;
  #isDead = false;
  #isDeaf = false;

  constructor(options: FakeHostOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<HostDeath>();
    this.died = promise;
    this.#provenDead = resolve;
  }

  connect(): HostConnection {
    const { hostKey, clusterId, setup, pid } = this.#options;
    const early: FromHost[] = [];
    let listener = (frame: FromHost): unknown => early.push(frame);
    let isOpen = true;
    this.#tell = (frame) => queueMicrotask(() => isOpen && listener(frame));
    const attempts = [...this.#attempts.values()].map(({ hosted }) => hosted);
    return {
      hostKey,
      clusterId,
      setup,
      hello: { op: 'hello', version: hostProtocolVersion, pid, spark: 'none', attempts },
      send: (frames) => {
        for (const frame of frames) this.#hear(frame);
      },
      listen(hear) {
        listener = hear;
        early.splice(0).forEach(hear);
      },
      died: this.died,
      close() {
        isOpen = false;
      },
    };
  }

  goDeaf(): void {
    this.#isDeaf = true;
  }

  die(message: string): void {
    this.#isDead = true;
    const attempts = [...this.#attempts.values()];
    for (const { timer } of attempts) if (timer !== null) clearTimeout(timer);
    this.#provenDead({ message, attempts: attempts.map(({ hosted }) => hosted) });
  }

  attemptStates(): ReadonlyMap<number, HostedAttempt['state']> {
    return new Map([...this.#attempts].map(([attemptId, { hosted }]) => [attemptId, hosted.state]));
  }

  #hear(frame: ToHost): void {
    if (this.#isDead) return;
    if (this.#isDeaf && frame.op === 'ack') return void this.unheard.push(frame.attempt_id);
    switch (frame.op) {
      case 'prepare': {
        const { attempt_id, epoch, folder } = frame;
        const { pid } = this.#options;
        if (this.#options.refused.delete(attempt_id)) return this.#tell({ op: 'dropped', attempt_id, epoch });
        const hosted = { attempt_id, epoch, state: 'held', pid, started_at_ms: null } as const;
        this.#attempts.set(attempt_id, { hosted, folder, timer: null });
        return this.#tell({ op: 'prepared', attempt_id, epoch, pid });
      }
      case 'go':
        return this.#go(this.#attempts.get(frame.attempt_id), frame.epoch);
      case 'drop':
      case 'stop':
        return this.#stop(this.#attempts.get(frame.attempt_id), frame.epoch);
      case 'take': {
        const attempt = this.#attempts.get(frame.attempt_id);
        if (attempt?.hosted.epoch === frame.epoch && frame.owner_epoch > ownerEpochOf(attempt))
          attempt.hosted = { ...attempt.hosted, owner_epoch: frame.owner_epoch };
        return;
      }
      case 'ack': {
        const attempt = this.#attempts.get(frame.attempt_id);
        if (attempt?.hosted.state === 'ended' && frame.epoch >= ownerEpochOf(attempt))
          this.#attempts.delete(frame.attempt_id);
        return;
      }
      case 'shutdown':
        return this.die('the host was shut down');
      case 'hello':
      case 'warm':
        return;
    }
  }

  #go(attempt: FakeAttempt | undefined, epoch: number): void {
    if (attempt?.hosted.state !== 'held' || attempt.hosted.epoch !== epoch) return;
    const { pid, clock, script } = this.#options;
    const { attempt_id } = attempt.hosted;
    const at_ms = clock.nowMs();
    attempt.hosted = { ...attempt.hosted, state: 'started', started_at_ms: at_ms };
    this.#tell({ op: 'started', attempt_id, epoch, pid, at_ms });
    // The worker wrote it.
    const document = JSON.parse(
      fs.readFileSync(path.join(attempt.folder, 'attempt.json'), 'utf8'),
    ) as AttemptDocument;
    const behaviour = script(document);
    if (behaviour.output) fs.appendFileSync(path.join(attempt.folder, 'output.log'), behaviour.output);
    if (behaviour.kind === 'hang') return;
    const end = () => this.#endAsTold(attempt, behaviour);
    // A timer waits a millisecond at least, which would be most of what a step of a chain takes.
    if (behaviour.afterMs === undefined) setImmediate(end);
    else attempt.timer = setTimeout(end, behaviour.afterMs);
  }

  #endAsTold(attempt: FakeAttempt, behaviour: Exclude<FakeBehaviour, { kind: 'hang' }>): void {
    if (this.#isDead || attempt.hosted.state === 'ended') return;
    const values = Object.entries(behaviour.taskValues ?? {});
    const lines = values.map(([name, value]) => `${JSON.stringify({ kind: 'task_value', name, value })}\n`);
    if (lines.length > 0) fs.writeFileSync(path.join(attempt.folder, 'messages.jsonl'), lines.join(''));
    if (behaviour.kind === 'host_dies') return this.die('the host was killed');
    const result = resultOf(behaviour);
    if (result !== null) fs.writeFileSync(path.join(attempt.folder, 'result.json'), JSON.stringify(result));
    if (behaviour.kind === 'signal') {
      return this.#end(attempt, { exit_code: null, signal: behaviour.signal, stopped: false });
    }
    const exit_code = behaviour.kind === 'exit' ? behaviour.code : behaviour.kind === 'fail' ? 1 : 0;
    this.#end(attempt, { exit_code, signal: null, stopped: false });
  }

  #stop(attempt: FakeAttempt | undefined, epoch: number): void {
    if (attempt === undefined || attempt.hosted.epoch !== epoch || attempt.hosted.state === 'ended') return;
    if (attempt.timer !== null) clearTimeout(attempt.timer);
    if (attempt.hosted.state === 'started') {
      return this.#end(attempt, { exit_code: null, signal: 15, stopped: true });
    }
    this.#attempts.delete(attempt.hosted.attempt_id);
    this.#tell({ op: 'dropped', attempt_id: attempt.hosted.attempt_id, epoch });
  }

  #end(attempt: FakeAttempt, how: Pick<HostedEnd, 'exit_code' | 'signal' | 'stopped'>): void {
    const { attempt_id, epoch } = attempt.hosted;
    const end = { ...how, started: true, at_ms: this.#options.clock.nowMs(), log_truncated: false };
    attempt.hosted = { ...attempt.hosted, state: 'ended', end };
    this.#tell({ op: 'ended', attempt_id, epoch, ...end });
  }
}

function ownerEpochOf({ hosted }: FakeAttempt): number {
  return hosted.owner_epoch ?? hosted.epoch;
}

export function createFakeHost(options: FakeHostOptions): FakeHost {
  return new MemoryHost(options);
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
