/**
 * The worker's port over HTTP, for a worker on another machine. Every request may be lost, and every answer: requests
 * are safe to repeat, and what an answer promised is acted upon only while the lease under which it was asked holds.
 */
import { ApiError, type Client, UnreachableError, workerProtocol } from '@headrace/api';
import type { WorkerLog } from '../log.ts';
import type {
  AttemptRef,
  AttemptReport,
  AttemptSource,
  ClaimedAttempt,
  ClaimRequest,
  HostReport,
  ResumedAttempt,
  SecretReference,
} from '../ports.ts';
import { waitBackingOff, waitMs } from '../wait.ts';
import { type Batcher, createBatcher } from './batcher.ts';
import { answerChallenge, type DataRootChallenge, type ServerPlace } from './data-root.ts';
import { createLease, type LeaseTimes, planLease, type RenewableLease } from './lease.ts';
import { createServerCalls, type ServerCalls, type ServerCallsOptions } from './server-calls.ts';
import {
  fromClaimedDocument,
  fromHeartbeatDocument,
  fromResumedDocument,
  type Place,
  toHostDocument,
  toRefDocument,
  toRefusedDocument,
  toReportDocument,
} from './wire.ts';

export interface HttpSourceOptions extends ServerCallsOptions {
  readonly workerId: string;
  readonly instanceId: string;
  /** Of processes before this one in the same state folder, which are known to have ended: one may hold the id. */
  readonly previousInstanceIds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly host: Parameters<Client['workersRegister']>[0]['host'];
  /** Null: where the server says that it is. */
  readonly dataRoot: string | null;
  readonly protocolVersion?: number;
  readonly clock: { nowMs(): number };
  /** Of a task that is told to end, at most. */
  readonly stopGraceMs: number;
  readonly log: WorkerLog;
  /** After each renewal: until when processes of this worker may run, monotonic. */
  readonly onRenewed?: (overdueAtMs: number) => void;
  /** Known to a server from now on. */
  readonly onSignedOn?: () => void;
  /** A server says for good that it will not work with this process any more. */
  readonly onRefused?: (error: ApiError) => void;
  /** Ends waiting, when the process is to end. */
  readonly signal: AbortSignal;
}

const claimWaitMs = 20_000;
/** How soon a slot that became free is seen: at once after a short task; full of long ones, looking costs little. */
const freeSlotPollMs = { first: 5, max: 100 };
/** For an answer, beyond what was asked to wait: a part of the lease, so that a lost answer does not cost it. */
const timeoutsPerLease = 6;
const timeoutMs = { min: 1_000, max: 10_000 };
const reportsMax = 200;
const reportBytesMax = 4 * 1024 * 1024;
const reasonCharsMax = 1_000;
/** What a reason in an error says of a worker that must not go on. */
const replacedReason = 'WORKER_REPLACED';
const inUseReason = 'WORKER_ID_IN_USE';

type Ask<Answer> = (client: Client, options: { readonly signal: AbortSignal }) => Promise<Answer>;

export class HttpSource implements AttemptSource {
  readonly lease: RenewableLease;
  readonly #options: HttpSourceOptions;
  readonly #calls: ServerCalls;
  readonly #start: Batcher<AttemptRef, AttemptRef | null>;
  readonly #report: Batcher<AttemptReport, void>;
  #times: LeaseTimes | null = null;
  #registration = 0;
  #dataRoot: string | null;
  /** Of `connect`, for the registration that follows. */
  #challenge: DataRootChallenge | null = null;

  constructor(options: HttpSourceOptions) {
    this.#options = options;
    this.#calls = createServerCalls(options);
    this.#dataRoot = options.dataRoot;
    const { elapsedMs, onRenewed = () => {} } = options;
    this.lease = createLease({ elapsedMs, onRenewed });
    const limits = { batchMax: reportsMax, bytesMax: reportBytesMax };
    this.#start = createBatcher({ ...limits, bytesOf: () => 0, send: (refs) => this.#sendStarts(refs) });
    this.#report = createBatcher({
      ...limits,
      bytesOf: bytesOfReport,
      send: async (reports) => {
        await this.#sendReports(reports);
        return reports.map(() => undefined);
      },
    });
  }

  /** Null until registered. */
  get times(): LeaseTimes | null {
    return this.#times;
  }

  get server(): string {
    return this.#calls.url;
  }

  /** Where the data root is: waits for a server to say so. Rejects with an ApiError that says why it refuses. */
  async connect(): Promise<ServerPlace> {
    const challenge = await this.#untilAnswered('reach a server', () => this.#askChallenge());
    this.#challenge = challenge;
    const { data_root: dataRoot, external_locations: externalLocations = [] } = challenge;
    return { dataRoot: this.#dataRoot ?? dataRoot, externalLocations };
  }

  register({ slots, backend }: Parameters<AttemptSource['register']>[0]): Promise<readonly ResumedAttempt[]> {
    return this.#untilAnswered('sign on', () => this.#registerOnce(slots, backend));
  }

  async claim({ work = 'tasks', freeSlots, held, signal }: ClaimRequest): Promise<readonly ClaimedAttempt[]> {
    const { lease } = this;
    for (let looks = 0; ; ) {
      if (signal.aborted) return [];
      const free = freeSlots();
      if (free <= 0 || !lease.holds()) {
        await waitMs(Math.min(freeSlotPollMs.max, freeSlotPollMs.first * 2 ** looks), signal);
        looks += 1;
        continue;
      }
      looks = 0;
      const { lapses } = lease;
      const has = (held?.() ?? []).map(toRefDocument);
      const asked = { ...this.#speaks(), work, free_slots: free, held: has };
      const { attempts } = await this.#call(
        (client, call) => client.workersClaim({ ...asked, wait_ms: claimWaitMs }, call),
        { waitsMs: claimWaitMs, signal },
      );
      // Late: they may have been given to others. What was not is given to us again.
      if (!lease.holds() || lease.lapses !== lapses) continue;
      if (attempts.length > 0) return attempts.map((attempt) => fromClaimedDocument(attempt, this.#place()));
    }
  }

  async heartbeat({
    held,
    hosts = [],
    waitMs: wantedMs,
    signal,
  }: Parameters<AttemptSource['heartbeat']>[0]): ReturnType<AttemptSource['heartbeat']> {
    const waitsMs = Math.floor(Math.min(wantedMs, this.#times?.heartbeatMs ?? wantedMs));
    const told = { held: held.map(toRefDocument), hosts: hosts.map(toHostDocument) };
    const asked = { ...this.#speaks(), ...told, wait_ms: waitsMs };
    const sentAtMs = this.#options.elapsedMs();
    try {
      const answer = await this.#call((client, call) => client.workersHeartbeat(asked, call), {
        waitsMs,
        signal,
      });
      this.lease.renew(sentAtMs);
      return fromHeartbeatDocument(answer);
    } catch (error) {
      if (isReplaced(error)) return { stop: [], gone: held };
      throw error;
    }
  }

  async start(_workerId: string, refs: readonly AttemptRef[]): Promise<readonly AttemptRef[]> {
    return (await Promise.all(refs.map(this.#start))).filter((ref) => ref !== null);
  }

  async report(_workerId: string, reports: readonly AttemptReport[]): Promise<void> {
    await Promise.all(reports.map(this.#report));
  }

  async reportHost(_workerId: string, report: HostReport): Promise<void> {
    const told = toHostDocument(report);
    await this.#call((client, call) => client.workersReportHost({ ...this.#speaks(), ...told }, call));
  }

  async release(_workerId: string, refs: readonly AttemptRef[]): Promise<void> {
    const attempts = refs.map(toRefDocument);
    await this.#call((client, call) => client.workersRelease({ ...this.#speaks(), attempts }, call));
  }

  async revealSecrets(
    _workerId: string,
    { principalId, references }: { principalId: number; references: readonly SecretReference[] },
  ): Promise<readonly Uint8Array[]> {
    const asked = {
      principal_id: principalId,
      references: references.map(({ scope, key }) => `${scope}/${key}`),
    };
    const { values } = await this.#untilAnswered('read secrets', () =>
      this.#call((client, call) => client.workersReadSecrets({ ...this.#speaks(), ...asked }, call)),
    );
    return values.map((value) => Buffer.from(value, 'base64'));
  }

  /** Nothing runs here any more, and nothing will. */
  async signOff(): Promise<void> {
    await this.#call((client, call) => client.workersSignOff(this.#speaks(), call));
  }

  close(): void {
    this.lease.end();
  }

  #speaks() {
    return { worker_id: this.#options.workerId, registration: this.#registration };
  }

  #place(): Place {
    return { apiUrl: this.#calls.url, dataRoot: this.#dataRoot ?? '' };
  }

  async #call<Answer>(
    ask: Ask<Answer>,
    { waitsMs = 0, signal = this.#options.signal }: { waitsMs?: number; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const ofLeaseMs = (this.#times?.leaseMs ?? Number.POSITIVE_INFINITY) / timeoutsPerLease;
    const answerMs = Math.max(timeoutMs.min, Math.min(timeoutMs.max, ofLeaseMs));
    try {
      return await this.#calls.call(ask, { timeoutMs: waitsMs + answerMs, signal });
    } catch (error) {
      if (this.#times !== null && isFinal(error, this.lease.holds())) this.#options.onRefused?.(error);
      throw error;
    }
  }

  #askChallenge() {
    const asked = { worker_id: this.#options.workerId, protocol_version: this.#protocolVersion };
    return this.#call((client, call) => client.workersChallenge(asked, call));
  }

  get #protocolVersion(): number {
    return this.#options.protocolVersion ?? workerProtocol.max;
  }

  /** In the place of the one before it, or of the one before that: which of them came to register is not known. */
  async #registerOnce(
    slots: number,
    backend: string,
    predecessors = this.#options.previousInstanceIds,
  ): Promise<readonly ResumedAttempt[]> {
    const [previous = null, ...older] = predecessors;
    try {
      return await this.#registerAfter(previous, slots, backend);
    } catch (error) {
      if (older.length === 0 || !isInUse(error)) throw error;
    }
    return this.#registerOnce(slots, backend, older);
  }

  async #registerAfter(
    previousInstanceId: string | null,
    slots: number,
    backend: string,
  ): Promise<readonly ResumedAttempt[]> {
    const { instanceId, labels, host, clock, elapsedMs, signal, workerId, onSignedOn } = this.#options;
    const challenge = this.#challenge ?? (await this.#askChallenge());
    this.#challenge = null;
    this.#dataRoot ??= challenge.data_root;
    const proof = await answerChallenge(this.#dataRoot, challenge, signal);
    const asked = {
      worker_id: workerId,
      instance_id: instanceId,
      ...(previousInstanceId === null ? {} : { previous_instance_id: previousInstanceId }),
      protocol_version: this.#protocolVersion,
      ...{ slots, labels, backend, host, data_root: this.#dataRoot, data_root_proof: proof },
    };
    const sentAtMs = elapsedMs();
    const { registration, lease_ms, warnings, attempts } = await this.#call((client, call) =>
      client.workersRegister({ ...asked, now_ms: clock.nowMs() }, call),
    );
    this.#registration = registration;
    onSignedOn?.();
    this.#times = planLease(lease_ms, this.#options.stopGraceMs);
    this.lease.begin(this.#times, sentAtMs);
    for (const warning of warnings) this.#options.log.warn({ worker: workerId }, warning);
    return attempts.map((attempt) => fromResumedDocument(attempt, this.#place()));
  }

  /** Tries until a server takes or refuses it. */
  async #untilAnswered<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> {
    const { signal, log } = this.#options;
    for (let failures = 0; ; ) {
      try {
        return await ask();
      } catch (error) {
        if (signal.aborted || !mayPass(error)) throw error;
        failures += 1;
        const { message } = error;
        log.warn({ server: this.server, reason: message }, `cannot ${what}; trying again`);
        await waitBackingOff(failures, signal);
      }
    }
  }

  async #sendStarts(refs: readonly AttemptRef[]): Promise<(AttemptRef | null)[]> {
    const asked = { ...this.#speaks(), attempts: refs.map(toRefDocument) };
    const { may_start } = await this.#call((client, call) => client.workersStart(asked, call));
    const allowed = new Set(may_start.map(({ attempt_id, epoch }) => `${attempt_id} ${epoch}`));
    return refs.map((ref) => (allowed.has(`${ref.attemptId} ${ref.epoch}`) ? ref : null));
  }

  async #sendReports(reports: readonly AttemptReport[]): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const documents = reports.map((report) => toReportDocument(report, nowMs));
    const send = (told: typeof documents) =>
      this.#call((client, call) => client.workersReport({ ...this.#speaks(), reports: told }, call));
    try {
      await send(documents);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      if (reports.length > 1) {
        for (const one of reports) await this.#sendReports([one]);
        return;
      }
      const [refused] = documents;
      this.#options.log.error({ attempt: refused?.attempt_id, err: error }, 'a report was refused');
      if (refused?.kind !== 'ended') return;
      await send([toRefusedDocument(refused, error.message.slice(0, reasonCharsMax))]);
    }
  }
}

function bytesOfReport(report: AttemptReport): number {
  return report.kind === 'ended' ? JSON.stringify([report.taskValues, report.exitValue]).length : 0;
}

/** Not reached, or in trouble, or asked too often: later it may do. */
function mayPass(error: unknown): error is Error {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiError && (error.status >= 500 || error.code === 'REQUEST_LIMIT_EXCEEDED');
}

function isReplaced(error: unknown): error is ApiError {
  return error instanceof ApiError && error.details.some(({ reason }) => reason === replacedReason);
}

function isInUse(error: unknown): boolean {
  return error instanceof ApiError && error.details.some(({ reason }) => reason === inUseReason);
}

/** A token that is refused may be a passing trouble of one server: it counts once the lease is lost over it. */
function isFinal(error: unknown, holds: boolean): error is ApiError {
  if (isReplaced(error)) return true;
  return error instanceof ApiError && [401, 403].includes(error.status) && !holds;
}
