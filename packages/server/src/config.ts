/**
 * Every setting: its environment variable, default and meaning. The only reader of `process.env`; at most 40 keys,
 * and a new one needs a user who must differ from the default.
 */
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseWorkerLabels } from '@headrace/api';
import { z } from 'zod';
import { parseS3Url, type S3Credentials } from './blobs/s3-settings.ts';
import { parseKubernetesPlace } from './compute/kubernetes-settings.ts';
import { gitProtocols } from './git/git-url.ts';
import { StartError } from './start-error.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const int = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const absolutePath = z
  .string()
  .min(1)
  .transform((value) => path.resolve(value));

/** A text that `parse` returns says what is wrong. */
const parsedBy = <Value extends object>(parse: (text: string) => Value | string) =>
  z
    .string()
    .transform((text, context) => {
      const parsed = parse(text);
      if (typeof parsed !== 'string') return parsed;
      context.addIssue(parsed);
      return z.NEVER;
    })
    .nullable()
    .default(null);

/** `api` answers other machines, `scheduler` turns the loops, `worker` runs attempts here. */
const serverRoles = ['api', 'scheduler', 'worker'] as const;

const settings = {
  stateDir: {
    env: 'HEADRACE_STATE_DIR',
    schema: absolutePath.default(path.join(os.homedir(), '.headrace')),
    about: 'Folder of everything that this server keeps: PostgreSQL, files, logs.',
  },
  host: {
    env: 'HEADRACE_BIND',
    schema: z.string().min(1).default('127.0.0.1'),
    about: 'Address to listen on; only this machine reaches the default.',
  },
  port: {
    env: 'HEADRACE_PORT',
    schema: int(0, 65_535).default(8080),
    about: 'Port to listen on; 0 picks a free one and keeps it for this state folder.',
  },
  publicUrl: {
    env: 'HEADRACE_PUBLIC_URL',
    schema: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    about: 'How browsers and clients reach this server when it is not http://<host>:<port>.',
  },
  tls: {
    env: 'HEADRACE_TLS',
    schema: z.enum(['off', 'local']).default('off'),
    about:
      'With `local`: https, by a certificate of an authority that the state folder keeps, for use on this machine.',
  },
  tlsCert: {
    env: 'HEADRACE_TLS_CERT',
    schema: absolutePath.nullable().default(null),
    about: 'File of a certificate in PEM, with those between it and its authority: https instead of http.',
  },
  tlsKey: {
    env: 'HEADRACE_TLS_KEY',
    schema: absolutePath.nullable().default(null),
    about: 'The private key of HEADRACE_TLS_CERT, in PEM without a passphrase.',
  },
  databaseUrl: {
    env: 'HEADRACE_DATABASE_URL',
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must start with postgres://')
      .nullable()
      .default(null),
    about: 'A PostgreSQL 15 or newer to use instead of the embedded one.',
    secret: true,
  },
  blobUrl: {
    env: 'HEADRACE_BLOB_URL',
    schema: parsedBy(parseS3Url),
    about:
      'A bucket for workspace files, logs and results: s3://<bucket>/<prefix>?endpoint=…&region=…; keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  },
  databaseConnectionsMax: {
    env: 'HEADRACE_DATABASE_CONNECTIONS',
    schema: int(2, 100).default(10),
    about: 'Connections to PostgreSQL that the server opens at most.',
  },
  runtimeDir: {
    env: 'HEADRACE_RUNTIME_DIR',
    schema: absolutePath.default(path.join(repository, '.runtime')),
    about: 'Folder with the Python environment, Java and Spark that set-up made.',
  },
  slots: {
    env: 'HEADRACE_SLOTS',
    schema: int(1, 256).default(8),
    about: 'Attempts that run at the same time on this machine, SQL endpoints not counted.',
  },
  preparedMemoryMb: {
    env: 'HEADRACE_PREPARED_MEMORY_MB',
    schema: int(0, 10_000_000).nullable().default(null),
    about:
      'Memory for hosts that wait, warmed up, for jobs that start within minutes; an eighth of the machine unless given, 0: none.',
  },
  roles: {
    env: 'HEADRACE_ROLES',
    schema: z
      .string()
      .transform((text) => text.split(',').map((role) => role.trim()))
      .pipe(z.array(z.enum(serverRoles)).min(1))
      .default([...serverRoles]),
    about: 'What this server does: api, scheduler, worker. Fewer than all need HEADRACE_DATABASE_URL.',
  },
  backend: {
    env: 'HEADRACE_BACKEND',
    schema: z.enum(['local', 'spark-standalone', 'kubernetes', 'fake', 'none']).default('local'),
    about:
      'Where attempts run: processes of this machine, the same with executors of a Spark master, Pods, a simulation, or not in this server.',
  },
  sparkMaster: {
    env: 'HEADRACE_SPARK_MASTER',
    schema: z
      .string()
      .regex(/^spark:\/\/[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*$/, 'write it like spark://spark.example:7077')
      .nullable()
      .default(null),
    about: 'The master of Spark that executors come from, with HEADRACE_BACKEND=spark-standalone.',
  },
  kubernetes: {
    env: 'HEADRACE_KUBERNETES',
    schema: parsedBy(parseKubernetesPlace),
    about:
      'Where Pods go, with HEADRACE_BACKEND=kubernetes: claim=…,namespace=…,service-account=…,hosts-service=…,owner=…,lifetime-hours=….',
  },
  hostImage: {
    env: 'HEADRACE_HOST_IMAGE',
    schema: z.string().min(1).nullable().default(null),
    about:
      'The container image of hosts, with HEADRACE_BACKEND=kubernetes: this release, deploy/Containerfile.',
  },
  workerLabels: {
    env: 'HEADRACE_WORKER_LABELS',
    schema: z
      .string()
      .default('')
      .transform((text, context) => {
        const parsed = parseWorkerLabels(text);
        if ('labels' in parsed) return parsed.labels;
        for (const problem of parsed.problems) context.addIssue(problem);
        return z.NEVER;
      }),
    about: 'What this machine is or has, as a=b,c=d: a task that asks for labels runs only where they are.',
  },
  workerLeaseMs: {
    env: 'HEADRACE_WORKER_LEASE_MS',
    schema: int(2_000, 3_600_000).default(60_000),
    about: 'How long a worker on another machine may be out of reach before its tasks are given up.',
  },
  adminUser: {
    env: 'HEADRACE_ADMIN_USER',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9._@+-]{1,128}$/, 'letters, digits and ._@+- only')
      .default('admin'),
    about: 'Name of the administrator that the first start makes.',
  },
  defaultCatalog: {
    env: 'HEADRACE_DEFAULT_CATALOG',
    schema: z
      .string()
      .regex(/^[a-z0-9_]{1,255}$/, 'lower-case letters, digits and _ only')
      .default('main'),
    about: 'Catalog of two-level table names in jobs that name none.',
  },
  externalLocations: {
    env: 'HEADRACE_EXTERNAL_LOCATIONS',
    schema: z
      .string()
      .default('')
      .transform((text) => text.split(',').filter((folder) => folder.trim() !== ''))
      .transform((folders) => folders.map((folder) => path.resolve(folder.trim()))),
    about: 'Folders, separated by commas, that external volumes and tables may be in or below.',
  },
  unknownIds: {
    env: 'HEADRACE_UNKNOWN_IDS',
    schema: z.enum(['default', 'refuse']).default('default'),
    about: 'What an unknown cluster or warehouse id in a job means: the default one, or an error.',
  },
  logLevel: {
    env: 'HEADRACE_LOG_LEVEL',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    about: 'How much the server logs.',
  },
  secretsKeyFile: {
    env: 'HEADRACE_SECRETS_KEY_FILE',
    schema: absolutePath.nullable().default(null),
    about:
      'Where the key that seals secrets lies, if not in the state folder; the same for all servers of a store.',
  },
  gitProtocols: {
    env: 'HEADRACE_GIT_PROTOCOLS',
    schema: z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .pipe(z.array(z.enum(gitProtocols)).min(1))
      .default(['https']),
    about:
      'How Git repositories may be reached: https, ssh (with the keys of the user that the server runs as), http, file; with one of the last two, addresses of this machine too.',
  },
  bodyBytesMax: {
    env: 'HEADRACE_BODY_BYTES_MAX',
    schema: int(1024, 1024 ** 3).default(16 * 1024 ** 2),
    about: 'Size of a request body at most; a 10 MiB file in base64 fits the default.',
  },
  requestsPerMinute: {
    env: 'HEADRACE_REQUESTS_PER_MINUTE',
    schema: int(1, 10_000_000).default(12_000),
    about: 'Requests that one principal (or address, without a token) may send in a minute.',
  },
  bundleVersionsKept: {
    env: 'HEADRACE_BUNDLE_VERSIONS',
    schema: int(1, 1_000).default(20),
    about: 'Versions that the deployment of a bundle keeps: those that a rollback can bring back.',
  },
  runsKeptDays: {
    env: 'HEADRACE_RUNS_KEPT_DAYS',
    schema: int(1, 36_500).default(60),
    about: 'Days after which ended runs go, with their logs, and libraries that nothing used.',
  },
  runsKeptPerJob: {
    env: 'HEADRACE_RUNS_KEPT_PER_JOB',
    schema: int(1, 10_000_000).default(100_000),
    about: 'Runs kept for each job; beyond it the oldest that have ended go.',
  },
  runFilesBytesMax: {
    env: 'HEADRACE_RUN_FILES_BYTES_MAX',
    schema: int(1, Number.MAX_SAFE_INTEGER).nullable().default(null),
    about: 'Size of the logs and results of all runs at most; beyond it the oldest ended runs go.',
  },
  droppedTablesKeptHours: {
    env: 'HEADRACE_DROPPED_TABLES_KEPT_HOURS',
    schema: int(0, 87_600).default(168),
    about: 'Hours in which a dropped table can be restored with its files; 0 removes them at once.',
  },
  metricsOpen: {
    env: 'HEADRACE_METRICS_OPEN',
    schema: z
      .enum(['true', 'false'])
      .default('false')
      .transform((value) => value === 'true'),
    about: 'Whether processes of this machine may read /metrics without a token.',
  },
  otlpUrl: {
    env: 'HEADRACE_OTLP_URL',
    schema: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    about: 'An OpenTelemetry collector that is sent the measures every minute, such as http://host:4318.',
  },
  drainMs: {
    env: 'HEADRACE_DRAIN_MS',
    schema: int(0, 3_600_000).default(15_000),
    about: 'How long a stop waits for requests and reports under way.',
  },
} as const;

type Settings = typeof settings;
export type Config = { readonly [Key in keyof Settings]: z.output<Settings[Key]['schema']> };

export class ConfigError extends StartError {}

/** An empty variable counts as unset. All problems are told at once. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = [];
  const entries = Object.entries(settings).map(([key, { env, schema }]) => {
    const parsed = schema.safeParse(environment[env] || undefined);
    if (!parsed.success)
      problems.push(`${env}: ${parsed.error.issues.map(({ message }) => message).join(', ')}`);
    return [key, parsed.data];
  });
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  // Each key was parsed with its own schema just above.
  const config = Object.fromEntries(entries) as unknown as Config;
  if (config.databaseUrl === null && serverRoles.some((role) => !config.roles.includes(role))) {
    throw new ConfigError(
      'HEADRACE_ROLES: the embedded PostgreSQL has one server, which does everything; to share the work, give all servers one HEADRACE_DATABASE_URL',
    );
  }
  if (config.backend === 'spark-standalone' && config.sparkMaster === null) {
    throw new ConfigError(
      'HEADRACE_SPARK_MASTER: HEADRACE_BACKEND=spark-standalone needs it, like spark://spark.example:7077',
    );
  }
  if ((config.tlsCert === null) !== (config.tlsKey === null))
    throw new ConfigError('HEADRACE_TLS_CERT and HEADRACE_TLS_KEY: set both or neither');
  if (config.backend === 'kubernetes') refuseHalfKubernetes(config);
  return config;
}

function refuseHalfKubernetes({ kubernetes, hostImage, publicUrl }: Config): void {
  const missing = [
    ...(kubernetes === null ? ['HEADRACE_KUBERNETES, like claim=headrace-state'] : []),
    ...(hostImage === null ? ['HEADRACE_HOST_IMAGE'] : []),
    ...(publicUrl === null ? ['HEADRACE_PUBLIC_URL, an address of this server that Pods reach'] : []),
  ];
  if (missing.length > 0) throw new ConfigError(`HEADRACE_BACKEND=kubernetes needs ${missing.join('; ')}`);
}

/** For the log: each setting by its variable's name, secrets without their value. */
export function describeConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => {
      const value = config[key as keyof Config]; // The keys are those of `settings`.
      return [setting.env, 'secret' in setting && value !== null ? '(set, not shown)' : value];
    }),
  );
}

/** For the documentation: every setting with its sentence. */
export function listSettings(): { env: string; about: string; default: unknown }[] {
  return Object.values(settings).map(({ env, about, schema }) => ({
    env,
    about,
    default: schema.parse(undefined),
  }));
}

/** The standard variables of AWS. Null without them: then the bucket's client looks at AWS's other standard places. */
export function readStorageCredentials(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): S3Credentials | null {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = environment;
  if (!accessKeyId && !secretAccessKey) return null;
  if (!accessKeyId || !secretAccessKey)
    throw new ConfigError('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both or neither');
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** What processes that the server starts may inherit; each launcher picks the names that it passes on. */
export function inheritedEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
