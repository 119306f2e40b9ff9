/** Opens a server's bucket: proves that it can be used, and that it is this installation's own. */
import type { Logger } from 'pino';
import { StartError } from '../start-error.ts';
import { createAttemptShipping } from './attempt-shipping.ts';
import type { FolderStore } from './folder-store.ts';
import type { OpenedBlobs } from './open-blobs.ts';
import { changeLimits, openBucket } from './s3-client.ts';
import type { S3Credentials, S3Settings } from './s3-settings.ts';
import { openS3Store, type S3Store } from './s3-store.ts';
import { createSplitStore } from './split-store.ts';
import { watchSource } from './watched-source.ts';
import { createWorkspaceMirror, moveWorkspace } from './workspace-mirror.ts';

const markKey = 'headrace.json';

export interface SplitOptions {
  readonly local: FolderStore;
  readonly settings: S3Settings;
  readonly credentials: S3Credentials | null;
  readonly workspaceId: string;
  readonly bucketPlace: (proposal: string) => Promise<string>;
  readonly log: Logger;
}

export async function openSplitStore(options: SplitOptions): Promise<OpenedBlobs> {
  const { local, settings, credentials, log } = options;
  const remote = openS3Store(openBucket(settings, credentials));
  try {
    await claimBucket(remote, options);
  } catch (error) {
    remote.close();
    throw error instanceof StartError ? error : toStartError(error, settings);
  }
  const changes = openS3Store(openBucket(settings, credentials, changeLimits));
  return {
    blobs: createSplitStore({ local, remote, changes }),
    shipAttempts({ source, workerId, loops, teardown }) {
      const shipping = createAttemptShipping({ local, remote, log, workerId, wake: loops.wake });
      loops.add(shipping.loop);
      teardown.add('shipping of attempts', shipping.flush);
      return watchSource(source, { shipping, mirror: createWorkspaceMirror(local, remote) });
    },
    async close() {
      remote.close();
      changes.close();
    },
  };
}

/** Two installations in one place would take each other's runs for their own. */
async function claimBucket(
  remote: S3Store,
  { local, settings, workspaceId, bucketPlace, log }: SplitOptions,
): Promise<void> {
  const place = `s3://${settings.bucket}/${settings.prefix}`;
  const mark = Buffer.from(JSON.stringify({ workspace_id: workspaceId }));
  let found = await remote.get(markKey);
  // Only now: a bucket that cannot be used is nobody's.
  const known = await bucketPlace(place);
  if (found === null && known !== place) {
    throw new StartError(
      `HEADRACE_BLOB_URL: the servers of this database keep their files in ${known}, and nothing of them is in ${place}: ` +
        'use the same, or stop them all and copy everything from there first',
    );
  }
  if (found === null) {
    const count = await moveWorkspace(local, remote);
    if (count > 0) log.info({ files: count }, 'the workspace was brought to the bucket');
    await remote.putIfAbsent(markKey, mark);
    found = await remote.get(markKey);
  }
  if (found?.equals(mark)) return;
  throw new StartError(
    `HEADRACE_BLOB_URL: ${place} belongs to another installation (${markKey} there ` +
      'names its workspace): choose another prefix, or use the database that belongs to it',
  );
}

function toStartError(error: unknown, { bucket, prefix }: S3Settings): StartError {
  const reasons: string[] = [];
  for (let at = error; at instanceof Error && reasons.length < 4; at = at.cause) reasons.push(at.message);
  return new StartError(
    `HEADRACE_BLOB_URL: s3://${bucket}/${prefix} cannot be used: ${reasons.join(': ')}\n` +
      'Check the bucket’s name, endpoint and region, and the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    { cause: error },
  );
}
