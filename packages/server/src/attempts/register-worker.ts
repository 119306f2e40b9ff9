/** Signs a worker of another machine on, or says what keeps it out and what to do about it. */
import { ApiError, workerProtocol } from '@headrace/api';
import type { ResumedAttempt } from '@headrace/worker';
import type { AttemptSourceOptions } from './attempt-source.ts';
import { findProofProblem, type Proof } from './data-root-proof.ts';
import { takeBack } from './take-back.ts';
import { findHolder, type Lease, type NewRegistration, registerWorker } from './worker-store.ts';

/**
 * Leases do not depend on a worker's clock, but the times that its tasks log and write do: beyond a minute they
 * mislead, and certificates and tokens begin to fail.
 */
const skewRefusedMs = 60_000;
/** What a request may take, and clocks that are kept by a time service differ by less. */
const skewToldMs = 2_000;

export interface RegistrationRequest extends NewRegistration {
  readonly nowMs: number;
  readonly dataRoot: string;
  readonly proof: Proof;
}

export interface Registered {
  readonly registration: number;
  readonly leaseMs: number;
  readonly warnings: readonly string[];
  readonly attempts: readonly ResumedAttempt[];
}

export type RegisterOptions = Pick<AttemptSourceOptions, 'db' | 'clock' | 'advancer' | 'claims'> & {
  readonly lease: Lease;
};

export async function registerRemoteWorker(
  request: RegistrationRequest,
  options: RegisterOptions,
): Promise<Registered> {
  const { db, lease, claims, clock } = options;
  refuseOtherProtocol(request.protocolVersion);
  const warnings = judgeClock(request.nowMs - clock.nowMs());
  await refuseOtherDataRoot(request, claims.dataRoot);
  const registration = await registerWorker(db, request, lease);
  if (registration === null) throw await explainHolder(request.workerId, options);
  const attempts = await takeBack(request.workerId, options);
  return { registration, leaseMs: lease.leaseMs, warnings, attempts };
}

export function refuseOtherProtocol(version: number): void {
  const { min, max } = workerProtocol;
  if (version >= min && version <= max) return;
  const spoken = min === max ? `version ${min}` : `versions ${min} to ${max}`;
  const [word, cure] =
    version < min
      ? ['old', 'install the Headrace release of the server on the machine of the worker']
      : [
          'new',
          "update the server first, or install the server's Headrace release on the machine of the worker",
        ];
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `the worker speaks protocol version ${version}, which is too ${word} for this server (${spoken}): ${cure}`,
    [{ reason: 'WORKER_PROTOCOL' }],
  );
}

function judgeClock(skewMs: number): string[] {
  const skew = Math.abs(skewMs);
  if (skew <= skewToldMs) return [];
  const told = `the clock of the worker's machine is ${(skew / 1000).toFixed(1)} s ${skewMs > 0 ? 'ahead of' : 'behind'} PostgreSQL's`;
  const cure = 'let a time service set both machines (for example `timedatectl set-ntp true`)';
  if (skew <= skewRefusedMs) return [`${told}: ${cure}`];
  throw new ApiError('INVALID_PARAMETER_VALUE', `${told}: ${cure}, and start the worker again`, [
    { reason: 'WORKER_CLOCK' },
  ]);
}

/** The same path too: tables keep theirs absolute. */
async function refuseOtherDataRoot(request: RegistrationRequest, dataRoot: string): Promise<void> {
  const cure = `make ${dataRoot} of the server's machine reachable under the same path on the worker's (a shared file system), for the same user`;
  const problem =
    request.dataRoot === dataRoot
      ? await findProofProblem(dataRoot, request.proof)
      : `its path differs from the server's, ${dataRoot}, and tables keep absolute paths`;
  if (problem === null) return;
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `${request.dataRoot} of the worker is not the data root of this server: ${problem}; ${cure}`,
    [{ reason: 'WORKER_DATA_ROOT' }],
  );
}

async function explainHolder(workerId: string, { db, lease }: RegisterOptions): Promise<ApiError> {
  const details = [{ reason: 'WORKER_ID_IN_USE' }];
  const holder = await findHolder(db, workerId, lease.dbNow);
  if (holder?.is_local) {
    const message = `${workerId} is the worker inside a server: give this one a state folder of its own (--state-dir)`;
    return new ApiError('RESOURCE_CONFLICT', message, details);
  }
  const { hostname = 'an unknown machine', pid } = holder?.host ?? {};
  const leaseLeftS = Math.max(1, Math.ceil((holder?.lease_left_ms ?? 0) / 1000));
  const message =
    `worker ${workerId} runs already, as process ${pid ?? '?'} on ${hostname}: two must not share an id. ` +
    `Stop that one, or give this one a state folder of its own (--state-dir); if that process is gone for good, ` +
    `its lease ends in ${leaseLeftS} s and the id is free then`;
  return new ApiError('RESOURCE_CONFLICT', message, details);
}
