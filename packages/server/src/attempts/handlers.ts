/** The requests of workers on other machines. */
import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Clock } from '../services.ts';
import type { RemoteWorkers } from './remote-workers.ts';
import {
  fromHostDocument,
  fromRefDocument,
  fromReportDocument,
  toClaimedDocument,
  toHeartbeatDocument,
  toRefDocument,
  toResumedDocument,
} from './wire.ts';

type WorkerHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'workersChallenge'
  | 'workersRegister'
  | 'workersClaim'
  | 'workersStart'
  | 'workersHeartbeat'
  | 'workersReport'
  | 'workersReportHost'
  | 'workersReadSecrets'
  | 'workersRelease'
  | 'workersSignOff'
>;

export function createWorkerHandlers(workers: RemoteWorkers, clock: Clock): WorkerHandlers {
  return {
    async workersChallenge({ protocol_version }) {
      const place = await workers.challenge(protocol_version);
      return {
        challenge: place.challenge,
        data_root: place.dataRoot,
        read_file: place.readFile,
        write_file: place.writeFile,
        external_locations: [...place.externalLocations],
      };
    },
    async workersRegister(request) {
      const registered = await workers.register({
        workerId: request.worker_id,
        instanceId: request.instance_id,
        previousInstanceId: request.previous_instance_id ?? null,
        backend: request.backend,
        slots: request.slots,
        protocolVersion: request.protocol_version,
        labels: request.labels,
        host: request.host,
        nowMs: request.now_ms,
        dataRoot: request.data_root,
        proof: request.data_root_proof,
      });
      const { registration, leaseMs, warnings, attempts } = registered;
      return {
        registration,
        lease_ms: leaseMs,
        warnings: [...warnings],
        attempts: attempts.map(toResumedDocument),
      };
    },
    async workersClaim(request, { signal }) {
      const claimed = await workers.claim({
        ...whoSpeaks(request),
        work: request.work ?? 'tasks',
        freeSlots: request.free_slots,
        held: request.held.map(fromRefDocument),
        signal: AbortSignal.any([signal, AbortSignal.timeout(request.wait_ms)]),
      });
      return { attempts: claimed.map(toClaimedDocument) };
    },
    async workersStart(request) {
      const started = await workers.start(whoSpeaks(request), request.attempts.map(fromRefDocument));
      return { may_start: started.map(toRefDocument) };
    },
    async workersHeartbeat(request, { signal }) {
      const answer = await workers.heartbeat({
        ...whoSpeaks(request),
        held: request.held.map(fromRefDocument),
        ...(request.hosts && { hosts: request.hosts.map(fromHostDocument) }),
        waitMs: request.wait_ms,
        signal,
      });
      return toHeartbeatDocument(answer);
    },
    async workersReport(request) {
      const nowMs = clock.nowMs();
      const reports = request.reports.map((report) => fromReportDocument(report, nowMs));
      await workers.report(whoSpeaks(request), reports);
      return {};
    },
    async workersReportHost(request) {
      await workers.reportHost(whoSpeaks(request), fromHostDocument(request));
      return {};
    },
    async workersReadSecrets(request) {
      const { principal_id: principalId } = request;
      const references = request.references.map(fromSecretReference);
      const values = await workers.revealSecrets(whoSpeaks(request), { principalId, references });
      return { values: values.map((value) => Buffer.from(value).toString('base64')) };
    },
    async workersRelease(request) {
      await workers.release(whoSpeaks(request), request.attempts.map(fromRefDocument));
      return {};
    },
    async workersSignOff(request) {
      await workers.signOff(whoSpeaks(request));
      return {};
    },
  };
}

function fromSecretReference(text: string) {
  const [scope = '', key = ''] = text.split('/');
  return { scope, key };
}

function whoSpeaks(request: { worker_id: string; registration: number }) {
  return { workerId: request.worker_id, registration: request.registration };
}
