/**
 * The life of one attempt on a host, from the claim to the durable report of its end.
 *
 *   waiting for host ──► held ──(go)──► started ──► ended ──► reported ──► ack
 *          │               └─(stop)─► dropped        ▲
 *          └─(stop, no host)─► ended as stopped      └─ the host died: the journal says how far it came
 *
 * Where workers are lost by time, "go" waits for the source's leave, and a lease that lapses ends the attempt as lost.
 */
import type { StopReason } from '@headrace/core';
import { attemptFolder, hostLimitsOf, readAttemptFiles, writeAttemptFolder } from './attempt-folder.ts';
import { createEventQueue, type EventQueue } from './event-queue.ts';
import type { HostPool } from './host-pool.ts';
import type { Host, HostEvent } from './host-slot.ts';
import type { HostedAttempt, HostedEnd, ToHost } from './hosts/host-protocol.ts';
import { HostUnwantedError } from './hosts/start-errors.ts';
import { fieldsOf, type WorkerLog } from './log.ts';
import { exitValueOf, outcomeOf } from './outcome.ts';
import type { AttemptReport, ClaimedAttempt } from './ports.ts';

export type AttemptEvent =
  | HostEvent
  | { readonly kind: 'stop'; readonly reason: StopReason }
  /** The lease is another's: end it and say nothing. */
  | { readonly kind: 'gone' }
  /** The worker may no longer run it: end it before others get it, and tell when that can be told. */
  | { readonly kind: 'cut_off'; readonly message: string }
  /** The source's answer, before user code begins. */
  | { readonly kind: 'leave'; readonly isGiven: boolean }
  /** The worker goes away; the host and the attempt stay as they are. */
  | { readonly kind: 'detach' }
  | { readonly kind: 'host_ready'; readonly host: Host }
  | { readonly kind: 'host_failed'; readonly message: string };

/** One attempt that this worker answers for. */
export interface Supervised {
  readonly attempt: ClaimedAttempt;
  readonly events: EventQueue<AttemptEvent>;
  host: Host | null;
  /** The epoch that the host knows it by: the one it was prepared under. */
  hostEpoch: number;
  /** `ended` frees its slot; the report may still be on its way. */
  phase: 'waiting' | 'held' | 'going' | 'started' | 'ended';
  isStopRequested: boolean;
  isGone: boolean;
  /** Why the worker ended it by itself. */
  cutOff: string | null;
  /** Why its host goes. */
  unwanted: { readonly message: string; readonly isReplaced: boolean } | null;
  isAsking: boolean;
}

export interface SuperviseDependencies {
  readonly pool: HostPool;
  readonly dataRoot: string;
  /** Resolves when durable; tries for ever until the worker stops. */
  readonly report: (report: AttemptReport, attempt: ClaimedAttempt) => Promise<void>;
  /** Whether user code may begin; null where nobody else can have been given the attempt. */
  readonly askToStart: ((attempt: ClaimedAttempt) => Promise<boolean>) | null;
  readonly clock: { nowMs(): number };
  readonly log: WorkerLog;
  readonly stopGraceMs: number;
}

export function createSupervised(attempt: ClaimedAttempt): Supervised {
  const events = createEventQueue<AttemptEvent>();
  return {
    attempt,
    events,
    host: null,
    hostEpoch: attempt.epoch,
    phase: 'waiting',
    isStopRequested: false,
    isGone: false,
    cutOff: null,
    unwanted: null,
    isAsking: false,
  };
}

/** Forks and sets the attempt up on a running host; no user line runs before `go`. */
export function prepareAttempt(
  supervised: Supervised,
  host: Host,
  dependencies: SuperviseDependencies,
): void {
  host.send(enterHost(supervised, host, dependencies));
}

/** What was prepared for a claim that did not come to be. */
export function dropAttempt(supervised: Supervised): void {
  const { host, attempt } = supervised;
  if (host === null) return;
  host.send({ op: 'drop', attempt_id: attempt.attemptId, epoch: supervised.hostEpoch });
  host.leave(attempt.attemptId);
}

/** Takes an attempt back that a host holds or runs since a former life of this worker. */
export function resumeOnHost(supervised: Supervised, host: Host, hosted: HostedAttempt): void {
  supervised.host = host;
  supervised.hostEpoch = hosted.epoch;
  const { epoch } = supervised.attempt;
  host.send({ op: 'take', attempt_id: hosted.attempt_id, epoch: hosted.epoch, owner_epoch: epoch });
  host.join(hosted.attempt_id, (event) => supervised.events.push(event));
  if (hosted.state === 'held') supervised.phase = 'held';
  else supervised.events.push({ kind: 'resynced', hosted });
}

/** Resolves when nothing is left to do for the attempt: its end is durable, or it is no longer this worker's. */
export async function superviseAttempt(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
): Promise<void> {
  try {
    await followAttempt(supervised, dependencies);
  } catch (error) {
    // Its end was on its way: only a worker that stops gives that up, and its next life reports it again.
    if (supervised.phase === 'ended') throw error;
    dependencies.log.error({ ...fieldsOf(supervised.attempt), err: error }, 'supervising failed');
    const message = 'The worker could not set up or follow the task; the log of the server tells why.';
    await reportEnd(supervised, dependencies, {
      kind: 'failed',
      failure: { code: 'INTERNAL_ERROR', message, trace: null },
    });
  }
}

async function followAttempt(supervised: Supervised, dependencies: SuperviseDependencies): Promise<void> {
  const { events } = supervised;
  if (supervised.phase === 'held' && !supervised.isStopRequested) begin(supervised, dependencies);
  else if (supervised.phase === 'waiting' && supervised.host === null) awaitHost(supervised, dependencies);
  for (;;) {
    const event = await events.next();
    switch (event.kind) {
      case 'host_ready':
        if (supervised.phase !== 'waiting') break;
        enterAndBegin(supervised, event.host, dependencies);
        break;
      case 'leave':
        onLeave(supervised, event.isGiven);
        break;
      case 'host_failed':
        return reportEnd(supervised, dependencies, clusterFailure(event.message));
      case 'host_unwanted':
        supervised.unwanted = event;
        if (supervised.host === null) return finishUnstarted(supervised, dependencies);
        break;
      case 'started':
        onStarted(supervised, dependencies, event.atMs);
        break;
      case 'ended':
        return finish(supervised, dependencies, event.end);
      case 'dropped':
        return finishUnstarted(supervised, dependencies, 'the host gave up holding it');
      case 'resynced':
        if (event.hosted?.end !== undefined) {
          return finish(supervised, dependencies, event.hosted.end, event.hosted.started_at_ms);
        }
        resync(supervised, dependencies, event.hosted);
        break;
      case 'host_died':
        return onHostDied(supervised, dependencies, event);
      case 'stop':
      case 'gone':
        if (event.kind === 'gone') supervised.isGone = true;
        else supervised.isStopRequested = true;
        if (supervised.host === null) return finishUnstarted(supervised, dependencies);
        supervised.host.send(stopFrame(supervised, event.kind === 'gone' ? 0 : dependencies.stopGraceMs));
        break;
      case 'cut_off':
        supervised.cutOff = event.message;
        if (supervised.host === null) return finishUnstarted(supervised, dependencies);
        supervised.host.send(stopFrame(supervised, dependencies.stopGraceMs));
        break;
      case 'detach':
        // It stays joined: its host is needed.
        return;
    }
  }
}

function awaitHost(supervised: Supervised, { pool }: SuperviseDependencies): void {
  pool.acquire(supervised.attempt.cluster).then(
    (host) => supervised.events.push({ kind: 'host_ready', host }),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof HostUnwantedError)
        supervised.events.push({ kind: 'host_unwanted', message, isReplaced: error.isReplaced });
      else
        supervised.events.push({ kind: 'host_failed', message: `The cluster could not start: ${message}` });
    },
  );
}

function enterHost(supervised: Supervised, host: Host, dependencies: SuperviseDependencies): ToHost {
  const { attempt } = supervised;
  const folder = attemptFolder(dependencies.dataRoot, attempt);
  writeAttemptFolder(folder, attempt.document);
  supervised.host = host;
  supervised.hostEpoch = attempt.epoch;
  supervised.phase = 'held';
  host.join(attempt.attemptId, (event) => supervised.events.push(event));
  return {
    op: 'prepare',
    attempt_id: attempt.attemptId,
    epoch: attempt.epoch,
    folder,
    ...hostLimitsOf(attempt.document),
  };
}

function enterAndBegin(supervised: Supervised, host: Host, dependencies: SuperviseDependencies): void {
  const prepare = enterHost(supervised, host, dependencies);
  if (dependencies.askToStart === null) {
    supervised.phase = 'going';
    host.send(prepare, goFrame(supervised));
    return;
  }
  // It is set up while we ask.
  host.send(prepare);
  begin(supervised, dependencies);
}

/** Of an attempt that its host holds. */
function begin(supervised: Supervised, { askToStart, log }: SuperviseDependencies): void {
  if (askToStart === null) return sendGo(supervised);
  if (supervised.isAsking) return;
  supervised.isAsking = true;
  askToStart(supervised.attempt).then(
    (isGiven) => supervised.events.push({ kind: 'leave', isGiven }),
    // The worker stops: the host gives up holding it, or the next life asks again.
    (error: unknown) => log.info({ ...fieldsOf(supervised.attempt), err: error }, 'not started'),
  );
}

function onLeave(supervised: Supervised, isGiven: boolean): void {
  supervised.isAsking = false;
  if (supervised.phase !== 'held') return;
  const { host, attempt, hostEpoch, isStopRequested, isGone, cutOff } = supervised;
  if (isGiven && !isStopRequested && !isGone && cutOff === null) return sendGo(supervised);
  // Whatever ends it says so once the host has let it go.
  host?.send({ op: 'drop', attempt_id: attempt.attemptId, epoch: hostEpoch });
}

function sendGo(supervised: Supervised): void {
  supervised.phase = 'going';
  supervised.host?.send(goFrame(supervised));
}

function goFrame({ attempt, hostEpoch }: Supervised): ToHost {
  return { op: 'go', attempt_id: attempt.attemptId, epoch: hostEpoch };
}

function stopFrame({ attempt, hostEpoch }: Supervised, graceMs: number): ToHost {
  return { op: 'stop', attempt_id: attempt.attemptId, epoch: hostEpoch, grace_ms: graceMs };
}

function onStarted(supervised: Supervised, dependencies: SuperviseDependencies, startedAtMs: number): void {
  if (supervised.phase === 'started') return;
  supervised.phase = 'started';
  // The source that gave its leave knows.
  if (supervised.isGone || dependencies.askToStart !== null) return;
  // Not awaited: the mark travels with the next batch, and the end does not wait for it.
  // It rejects only when the worker stops: the next life reports it again.
  dependencies
    .report({ kind: 'started', ...refOf(supervised), startedAtMs }, supervised.attempt)
    .catch(() => undefined);
}

/** After a broken connection: say again what the host may not have heard. */
function resync(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
  hosted: HostedAttempt | null,
): void {
  if (hosted?.state === 'started')
    onStarted(supervised, dependencies, hosted.started_at_ms ?? dependencies.clock.nowMs());
  const { host } = supervised;
  if (host === null) return;
  if (supervised.isStopRequested || supervised.isGone || supervised.cutOff !== null) {
    if (hosted === null) supervised.events.push({ kind: 'dropped' });
    else host.send(stopFrame(supervised, dependencies.stopGraceMs));
    return;
  }
  if (hosted === null) {
    // Proven started means that the host knows it until the ack; so no user line has run.
    enterAndBegin(supervised, host, dependencies);
  } else if (hosted.state === 'held') {
    begin(supervised, dependencies);
  }
}

async function finish(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
  end: HostedEnd,
  startedAtMs: number | null = null,
): Promise<void> {
  if (!end.started)
    return finishUnstarted(supervised, dependencies, 'the process ended before user code began');
  onStarted(supervised, dependencies, startedAtMs ?? end.at_ms);
  const files = readAttemptFiles(attemptFolder(dependencies.dataRoot, supervised.attempt));
  const { isStopRequested, cutOff } = supervised;
  const outcome = outcomeOf({ end, result: files.result, isStopRequested });
  // Nobody but us asked for its end. What came to an end by itself before that counts as it ended.
  if (cutOff !== null && end.stopped && outcome.kind === 'failed')
    return reportLost(supervised, dependencies, { beforeUserCode: false, message: cutOff });
  const isEndedByHost = end.stopped && outcome.kind === 'failed' && supervised.unwanted !== null;
  const told = isEndedByHost ? clusterFailure(supervised.unwanted?.message ?? '') : outcome;
  await reportEnd(supervised, dependencies, told, {
    taskValues: files.taskValues,
    exitValue: exitValueOf(files.result),
    endedAtMs: end.at_ms,
  });
}

/** It ends, and no user line has run: because of a stop, or else it is lost. */
function finishUnstarted(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
  otherwise = 'the host gave up holding it',
): Promise<void> {
  if (supervised.isStopRequested || supervised.isGone)
    return reportEnd(supervised, dependencies, { kind: 'stopped' });
  const { cutOff, unwanted } = supervised;
  if (cutOff === null && unwanted !== null && !unwanted.isReplaced)
    return reportEnd(supervised, dependencies, clusterFailure(unwanted.message));
  const message = cutOff ?? unwanted?.message ?? otherwise;
  return reportLost(supervised, dependencies, { beforeUserCode: true, message });
}

/** The backend has proven that nothing of the host can act any more. */
function onHostDied(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
  { hosted, message }: Extract<AttemptEvent, { kind: 'host_died' }>,
): Promise<void> {
  if (hosted?.end !== undefined) return finish(supervised, dependencies, hosted.end, hosted.started_at_ms);
  if (supervised.isStopRequested) return reportEnd(supervised, dependencies, { kind: 'stopped' });
  const hasStarted = supervised.phase === 'started' || hosted?.state === 'started';
  const { unwanted, cutOff } = supervised;
  // Its host did not end it in time, and was ended by force.
  if (unwanted !== null && cutOff === null) {
    return hasStarted
      ? reportEnd(supervised, dependencies, clusterFailure(unwanted.message))
      : finishUnstarted(supervised, dependencies);
  }
  // By force, where it was cut off and did not end otherwise.
  const told = supervised.cutOff ?? message;
  return reportLost(supervised, dependencies, { beforeUserCode: !hasStarted, message: told });
}

function clusterFailure(message: string): Extract<AttemptReport, { kind: 'ended' }>['outcome'] {
  return { kind: 'failed', failure: { code: 'CLUSTER_ERROR', message, trace: null } };
}

async function reportLost(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
  loss: { readonly beforeUserCode: boolean; readonly message: string },
): Promise<void> {
  await settle(supervised, dependencies, { kind: 'lost', ...refOf(supervised), ...loss });
}

async function reportEnd(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
  outcome: Extract<AttemptReport, { kind: 'ended' }>['outcome'],
  said: Pick<Extract<AttemptReport, { kind: 'ended' }>, 'taskValues' | 'exitValue' | 'endedAtMs'> = {
    taskValues: {},
    exitValue: null,
  },
): Promise<void> {
  await settle(supervised, dependencies, { kind: 'ended', ...refOf(supervised), outcome, ...said });
}

async function settle(
  supervised: Supervised,
  dependencies: SuperviseDependencies,
  report: AttemptReport,
): Promise<void> {
  const { attempt, host } = supervised;
  // Before the report: the same commit may hand the next attempt to this slot.
  supervised.phase = 'ended';
  dependencies.log.debug(fieldsOf(attempt), report.kind);
  // Also before: what was lost before user code may come back, under its id, as soon as that is recorded.
  host?.leave(attempt.attemptId);
  const tell = async () => {
    if (!supervised.isGone) await dependencies.report(report, attempt);
  };
  const ending = { hostKey: attempt.cluster.hostKey, ref: attempt, host, isLost: report.kind === 'lost' };
  return dependencies.pool.settle(ending, tell);
}

function refOf({ attempt }: Supervised) {
  return { attemptId: attempt.attemptId, epoch: attempt.epoch };
}
