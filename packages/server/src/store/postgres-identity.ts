/**
 * PostgreSQL refuses to run as root. When we are root it runs as another user: by setuid where that user reaches the
 * folder, else (a folder below a 0700 home such as /root) in a user namespace where our root is shown as that user,
 * else as that user with the one capability that opens folders. No user account needs to be made.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { StartError } from '../start-error.ts';

export interface PostgresIdentity {
  readonly kind: 'self' | 'setuid' | 'namespace' | 'capability';
  /** For child_process: who the process becomes. */
  readonly spawnOptions: { readonly uid?: number; readonly gid?: number };
  /** Put before the program's own path. */
  readonly commandPrefix: readonly string[];
  /** Owner of the cluster's files; null leaves them ours. */
  readonly fileOwner: { readonly uid: number; readonly gid: number } | null;
}

/** "nobody": owns nothing else and exists everywhere. */
const nobody = { uid: 65_534, gid: 65_534 };

const namespacePrefix = ['unshare', '--user', '--map-user=65534', '--map-group=65534'];
const capabilityPrefix = [
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
];

/** `ownerUid` is who owns a cluster that exists already: it must go on as the same user. */
export function chooseIdentity(folder: string, ownerUid: number | null): PostgresIdentity {
  if (process.getuid?.() !== 0) return { kind: 'self', spawnOptions: {}, commandPrefix: [], fileOwner: null };
  const owner = ownerUid === null || ownerUid === 0 ? nobody : { uid: ownerUid, gid: nobody.gid };
  const ownedByRoot = ownerUid === 0;
  if (!ownedByRoot && mayEnter(folder, owner)) {
    return { kind: 'setuid', spawnOptions: owner, commandPrefix: [], fileOwner: owner };
  }
  const ownedByOther = ownerUid !== null && !ownedByRoot;
  if (!ownedByOther && works(namespacePrefix)) {
    return { kind: 'namespace', spawnOptions: {}, commandPrefix: namespacePrefix, fileOwner: null };
  }
  if (!ownedByRoot && owner.uid === nobody.uid && works(capabilityPrefix)) {
    return { kind: 'capability', spawnOptions: {}, commandPrefix: capabilityPrefix, fileOwner: nobody };
  }
  throw new StartError(
    `PostgreSQL cannot run as root, and another user cannot reach ${folder}: choose a state folder such as /var/lib/headrace`,
  );
}

export function mayEnter(folder: string, identity: { uid: number; gid: number }): boolean {
  return (
    spawnSync('/bin/sh', ['-c', 'test -x "$0"', folder], { ...identity, cwd: '/', env: {} }).status === 0
  );
}

function works(prefix: readonly string[]): boolean {
  const [program = '', ...rest] = prefix;
  return spawnSync(program, [...rest, 'true'], { cwd: '/', stdio: 'ignore' }).status === 0;
}

export function giveTo(identity: PostgresIdentity, file: string): void {
  if (identity.fileOwner) fs.chownSync(file, identity.fileOwner.uid, identity.fileOwner.gid);
}
