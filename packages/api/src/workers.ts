/** Workers on other machines: how they sign on, what they are given, what they report; and the tokens they use. */
import { z } from 'zod';
import { route } from './route.ts';
import { TokenInfo, tokenLifetimeSecondsMax } from './tokens.ts';
import { epochMs, JsonValue, Nothing, textMap, wireBool, wireId, wireIntBetween } from './wire.ts';
import { WorkerLabels } from './worker-labels.ts';

/** What the documents below mean. A server talks to workers of these versions, and names them when it refuses one. */
export const workerProtocol = { min: 1, max: 1 } as const;
/** The longest that a claim or a heartbeat waits for news: below what proxies cut. */
export const workerWaitMsMax = 30_000;
export const workerSlotsMax = 256;
/** More than any worker holds, those that it still reports included. */
const refsMax = 5_000;
const hostsMax = 1_000;

const WorkerId = z
  .string()
  .regex(/^[\w.-]{1,100}$/, 'expected 1 to 100 letters, digits, dots, dashes and underscores');
const epoch = wireIntBetween({ min: 0 });
const AttemptRef = z.looseObject({ attempt_id: wireId, epoch });
const refs = z.array(AttemptRef).max(refsMax);
const stopReasons = ['cancelled_by_user', 'cancelled_by_system', 'timed_out', 'run_timed_out'] as const;

/** The one life of a worker that may speak for it: each registration ends the one before. */
const whoSpeaks = { worker_id: WorkerId, registration: wireIntBetween({ min: 1 }) };

export const workersChallenge = route({
  method: 'POST',
  path: '/api/headrace/workers/challenge',
  summary: 'Writes a file below the data root, for a worker to prove that it reaches the same one.',
  request: z.object({ worker_id: WorkerId, protocol_version: z.int() }),
  response: z.looseObject({
    challenge: z.string(),
    data_root: z.string(),
    /** Relative to the data root: to be read, and to be written. */
    read_file: z.string(),
    write_file: z.string(),
    /** What external volumes may be in or below. */
    external_locations: z.array(z.string()).optional(),
  }),
  permission: 'worker',
  audit: null,
});

export const WorkerHostFacts = z.looseObject({
  hostname: z.string().max(255),
  pid: z.int(),
  platform: z.string().max(100),
  cpus: z.int(),
  memory_bytes: z.int(),
  version: z.string().max(100),
});
export type WorkerHostFacts = z.output<typeof WorkerHostFacts>;

export const ClusterAssignmentDocument = z.looseObject({
  cluster_id: z.string(),
  cluster_name: z.string(),
  host_key: z.string(),
  spark_conf: textMap,
  environment: textMap,
  idle_ms: z.int().nullable(),
  init_scripts: z
    .looseObject({ paths: z.array(z.string()), log_folder: z.string(), timeout_ms: z.int() })
    .optional(),
  /** Where they are processes of their own. */
  executors: z
    .looseObject({
      min: z.int(),
      max: z.int(),
      node: z.looseObject({ cores: z.int(), memory_mb: z.int() }).nullable(),
    })
    .optional(),
  /** Whose rights count for `{{secrets/…}}` in it. */
  principal_id: z.int().optional(),
  /** Its host counts among those of this instance pool, and may be one that waits there. */
  pool: z
    .looseObject({
      pool_id: z.string(),
      name: z.string(),
      capacity_max: z.int().nullable(),
      is_spare: z.boolean(),
    })
    .optional(),
});
export type ClusterAssignmentDocument = z.output<typeof ClusterAssignmentDocument>;

export const ClaimedAttemptDocument = z.looseObject({
  attempt_id: wireId,
  epoch,
  run_id: wireId,
  task_key: z.string(),
  cluster: ClusterAssignmentDocument,
  /** The attempt's own document, as the runtime reads it. */
  document: z.looseObject({}),
});
export type ClaimedAttemptDocument = z.output<typeof ClaimedAttemptDocument>;

export const ResumedAttemptDocument = z.looseObject({
  ...ClaimedAttemptDocument.shape,
  state: z.enum(['claimed', 'running', 'stopping']),
  stop_reason: z.enum(stopReasons).nullable(),
});
export type ResumedAttemptDocument = z.output<typeof ResumedAttemptDocument>;

export const workersRegister = route({
  method: 'POST',
  path: '/api/headrace/workers/register',
  summary: 'Signs a worker on: checks it, gives it a lease, and gives its live attempts back to it.',
  request: z.object({
    worker_id: WorkerId,
    /** Of this process; and of the one before it in the same state folder, whose end it has proof of. */
    instance_id: z.string().min(16).max(100),
    previous_instance_id: z.string().max(100).optional(),
    protocol_version: z.int(),
    slots: wireIntBetween({ min: 1, max: workerSlotsMax }),
    labels: WorkerLabels,
    backend: z.string().min(1).max(50),
    host: WorkerHostFacts,
    /** The worker's clock, which decides nothing: a wrong one is told before it shows in every time of a run. */
    now_ms: epochMs,
    data_root: z.string().max(4_096),
    data_root_proof: z.object({
      challenge: z.string().regex(/^[0-9a-f]{32}$/),
      read: z.string().max(100),
      written: z.string().min(16).max(100),
    }),
  }),
  response: z.looseObject({
    registration: z.int(),
    lease_ms: z.int(),
    warnings: z.array(z.string()),
    attempts: z.array(ResumedAttemptDocument),
  }),
  permission: 'worker',
  audit: 'workers.register',
});

export const workersClaim = route({
  method: 'POST',
  path: '/api/headrace/workers/claim',
  summary: 'Waits a while for attempts; gives again what an earlier answer lost on its way.',
  request: z.object({
    ...whoSpeaks,
    /** Tasks unless it says so; what it has free is counted for each. */
    work: z.enum(['tasks', 'sql_endpoints']).optional(),
    free_slots: wireIntBetween({ min: 1, max: workerSlotsMax }),
    held: refs,
    wait_ms: wireIntBetween({ min: 0, max: workerWaitMsMax }),
  }),
  response: z.looseObject({ attempts: z.array(ClaimedAttemptDocument) }),
  permission: 'worker',
  audit: null,
});

export const workersStart = route({
  method: 'POST',
  path: '/api/headrace/workers/start',
  summary: 'Asks, right before user code begins, whether it still may; the answer is durable.',
  request: z.object({ ...whoSpeaks, attempts: refs }),
  response: z.looseObject({ may_start: z.array(AttemptRef) }),
  permission: 'worker',
  audit: null,
});

const hostFacts = {
  cluster_id: z.string().max(255),
  host_key: z.string().max(255),
  spark_state: z.enum(['none', 'starting', 'ready', 'not_responding', 'failed', 'unknown']),
  pid: z.int().optional(),
  message: z.string().max(10_000),
  failure_code: z.enum(['INIT_SCRIPT_FAILURE', 'START_FAILURE', 'IMAGE_FAILURE', 'NO_CAPACITY']).optional(),
  /** Those of a Spark master, when their number has changed. */
  executors: z
    .object({
      master: z.string().max(1_000),
      ...{ running: z.int(), before: z.int(), min: z.int(), max: z.int() },
    })
    .optional(),
};

/** How a host is, without its state: that is another when it is reported than when it is told of. */
export type HostFactsDocument = z.output<z.ZodObject<typeof hostFacts>>;

export const HostStatusDocument = z.looseObject({
  ...hostFacts,
  state: z.enum(['starting', 'running', 'stopping', 'failed']),
});
export type HostStatusDocument = z.output<typeof HostStatusDocument>;

export const workersHeartbeat = route({
  method: 'POST',
  path: '/api/headrace/workers/heartbeat',
  summary: 'Renews the lease, then waits a while for something to stop, or to start.',
  request: z.object({
    ...whoSpeaks,
    held: refs,
    hosts: z.array(HostStatusDocument).max(hostsMax).optional(),
    wait_ms: wireIntBetween({ min: 0, max: workerWaitMsMax }),
  }),
  response: z.looseObject({
    stop: z.array(z.looseObject({ ...AttemptRef.shape, reason: z.enum(stopReasons) })),
    gone: z.array(AttemptRef),
    orders: z
      .looseObject({
        start: z.array(ClusterAssignmentDocument),
        stop: z.array(
          z.looseObject({
            host_key: z.string(),
            message: z.string(),
            is_replaced: z.boolean(),
            if_idle: z.boolean(),
          }),
        ),
      })
      .optional(),
  }),
  permission: 'worker',
  audit: null,
});

const AttemptFailure = z.looseObject({
  code: z.enum([
    'RUN_EXECUTION_ERROR',
    'CLUSTER_ERROR',
    'DRIVER_ERROR',
    'LIBRARY_INSTALLATION_ERROR',
    'RESOURCE_NOT_FOUND',
    'INTERNAL_ERROR',
  ]),
  message: z.string(),
  trace: z.string().nullable(),
});

export const AttemptReportDocument = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('started'), ...AttemptRef.shape, started_at_ms: epochMs }),
  z.looseObject({
    kind: z.literal('ended'),
    ...AttemptRef.shape,
    outcome: z.discriminatedUnion('kind', [
      z.looseObject({ kind: z.literal('succeeded') }),
      z.looseObject({ kind: z.literal('failed'), failure: AttemptFailure }),
      z.looseObject({ kind: z.literal('stopped') }),
    ]),
    task_values: z.record(z.string(), JsonValue),
    exit_value: z.string().nullable(),
    /** When it was sent: an interval, since clocks differ. */
    ended_ms_ago: z.int().min(0).optional(),
  }),
  z.looseObject({
    kind: z.literal('lost'),
    ...AttemptRef.shape,
    before_user_code: wireBool,
    message: z.string(),
  }),
]);
export type AttemptReportDocument = z.output<typeof AttemptReportDocument>;

export const workersReport = route({
  method: 'POST',
  path: '/api/headrace/workers/report',
  summary: 'Records how attempts go, durably; what is no longer the worker’s changes nothing.',
  request: z.object({ ...whoSpeaks, reports: z.array(AttemptReportDocument).max(1_000) }),
  response: Nothing,
  permission: 'worker',
  audit: null,
});

export const workersReportHost = route({
  method: 'POST',
  path: '/api/headrace/workers/report-host',
  summary: 'Tells how a host of the worker goes, for people.',
  request: z.object({
    ...whoSpeaks,
    ...hostFacts,
    state: z.enum(['starting', 'running', 'stopped', 'failed']),
  }),
  response: Nothing,
  permission: 'worker',
  audit: null,
});

export const workersRelease = route({
  method: 'POST',
  path: '/api/headrace/workers/release',
  summary: 'Gives attempts back that were claimed and not started.',
  request: z.object({ ...whoSpeaks, attempts: refs }),
  response: Nothing,
  permission: 'worker',
  audit: 'workers.release',
});

/** More than a cluster's configuration can hold in any sensible way. */
const revealedMax = 1_000;

export const workersReadSecrets = route({
  method: 'POST',
  path: '/api/headrace/workers/read-secrets',
  summary:
    'Gives the secrets that a cluster of the worker names, with the rights of whoever runs tasks on it.',
  request: z.object({
    ...whoSpeaks,
    principal_id: wireId,
    /** `scope/key`. */
    references: z
      .array(
        z
          .string()
          .max(1_000)
          .regex(/^[^/]+\/[^/]+$/),
      )
      .max(revealedMax),
  }),
  /** In the order of the references, in base64. */
  response: z.looseObject({ values: z.array(z.string()) }),
  permission: 'worker',
  audit: 'workers.read-secrets',
});

export const workersSignOff = route({
  method: 'POST',
  path: '/api/headrace/workers/sign-off',
  summary: 'Ends the lease of a worker on which nothing runs any more.',
  request: z.object(whoSpeaks),
  response: Nothing,
  permission: 'worker',
  audit: 'workers.sign-off',
});

export const workerTokensCreate = route({
  method: 'POST',
  path: '/api/headrace/worker-tokens/create',
  summary: 'Makes a token that signs workers on and opens nothing else; its value is shown only now.',
  request: z.object({
    comment: z.string().max(1_000).optional(),
    lifetime_seconds: wireIntBetween({ min: 1, max: tokenLifetimeSecondsMax }).optional(),
  }),
  response: z.looseObject({ token_value: z.string(), token_info: TokenInfo }),
  permission: 'admin',
  audit: 'worker-tokens.create',
});

export const workerTokensList = route({
  method: 'GET',
  path: '/api/headrace/worker-tokens/list',
  summary: 'Lists the tokens of workers, without their values.',
  request: z.object({}),
  response: z.looseObject({ token_infos: z.array(TokenInfo).optional() }),
  permission: 'admin',
  audit: 'worker-tokens.list',
});

export const workerTokensDelete = route({
  method: 'POST',
  path: '/api/headrace/worker-tokens/delete',
  summary: 'Revokes a token of workers: those that use it end their tasks within a lease.',
  request: z.object({ token_id: z.string().min(1).max(255) }),
  response: Nothing,
  permission: 'admin',
  audit: 'worker-tokens.delete',
});
