/**
 * Deployments of bundles: who is deploying, what was deployed when, and the one request that changes it all. The state of a
 * deployment is what its last version says; a deployment is known by the folder of its state and the target.
 */
import { z } from 'zod';
import { route } from './route.ts';
import { pathCharsMax } from './tasks.ts';
import { epochMs, Nothing, wireBool, wireId, wireInt, wireIntBetween } from './wire.ts';
import { workspaceLanguages } from './workspace.ts';

/** As many as a bundle may have. */
export const bundleFilesMax = 5_000;
export const bundleResourcesMax = 1_000;
/** Contents of one upload; a request's body has a limit of its own, 16 MiB unless set otherwise. */
export const bundleContentsMax = 1_000;
/** As an import into the workspace takes. */
export const bundleContentBytesMax = 10 * 1024 ** 2;

const bundlesPath = '/api/headrace/bundles';
const path = z.string().min(1).max(pathCharsMax).startsWith('/');
const name = z.string().min(1).max(1_000);
/** SHA-256 of the bytes, in hexadecimal. */
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Of the caller's choice: a request that is sent again with the same one is done once. */
const requestId = z.string().min(8).max(100);
const ofDeployment = { deployment_id: wireId };
/** The number of the lock that the caller holds: who lost it since changes nothing. */
const underLock = { ...ofDeployment, fence: wireId };

export const BundleLockHolder = z.looseObject({
  user_name: z.string(),
  /** Where the command runs. */
  machine: z.string(),
  command: z.string(),
});
export const BundleLock = z.looseObject({
  fence: z.int(),
  holder: BundleLockHolder,
  since: epochMs,
  /** When its holder was last heard of. */
  heard: epochMs,
  /** From then on anybody takes it over who asks. */
  expires: epochMs,
});
export type BundleLock = z.output<typeof BundleLock>;

export const BundleGit = z.looseObject({
  branch: z.string().max(1_000).optional(),
  commit: z.string().max(200).optional(),
  origin: z.string().max(2_000).optional(),
});

/** Something that a version has. `document`: as the deployment sent it. */
export const BundleResource = z.looseObject({
  kind: z.string().min(1).max(100),
  key: z.string().min(1).max(300),
  id: z.string().min(1).max(1_000),
  name: z.string().max(4_096),
  document: z.looseObject({}),
});
export type BundleResource = z.output<typeof BundleResource>;

const fileFields = {
  path,
  hash,
  format: z.enum(['AUTO', 'SOURCE', 'RAW', 'JUPYTER']).default('AUTO'),
  language: z.enum(workspaceLanguages).optional(),
  /** Below the bundle's folder; of files that are not from there, such as wheels, absent. */
  local_path: z.string().max(pathCharsMax).optional(),
};
/** A file of the workspace; a notebook loses the extension of its path as in any import. */
export const BundleFile = z.looseObject(fileFields);
export type BundleFile = z.output<typeof BundleFile>;

export const BundleChanges = z.looseObject({
  created: z.int(),
  updated: z.int(),
  deleted: z.int(),
  files_put: z.int(),
  files_removed: z.int(),
});

export const BundleVersion = z.looseObject({
  version: z.int(),
  created_at: epochMs,
  created_by: z.string(),
  message: z.string().optional(),
  git: BundleGit.optional(),
  /** The version that it brought back. */
  rolled_back_to: z.int().optional(),
  changes: BundleChanges,
  is_current: z.boolean(),
});
export type BundleVersion = z.output<typeof BundleVersion>;

/** A version with all that belongs to it. */
export const BundleRecord = z.looseObject({
  ...BundleVersion.shape,
  resources: z.array(BundleResource),
  files: z.array(BundleFile),
  /** What the deploying program noted for itself. */
  notes: z.looseObject({}),
});
export type BundleRecord = z.output<typeof BundleRecord>;

export const BundleDeployment = z.looseObject({
  ...ofDeployment,
  deployment_id: z.int(),
  state_path: z.string(),
  target: z.string(),
  bundle: z.string(),
  /** 0: nothing is deployed yet. */
  current_version: z.int(),
  /** Somebody is deploying, or was and fell silent. */
  lock: BundleLock.optional(),
  current: BundleRecord.optional(),
  /** What a deployment noted of things that no version has yet, or that are still to go. */
  pending: z.looseObject({}).optional(),
  /** With `include_jobs`: settings by `jobs.<key>`, as they are now; left out where they are too much for one answer. */
  jobs: z.record(z.string(), z.looseObject({})).optional(),
});
export type BundleDeployment = z.output<typeof BundleDeployment>;

const bundlesGet = route({
  method: 'GET',
  path: `${bundlesPath}/deployment`,
  summary: 'Shows a deployment with its current version and its lock.',
  request: z.object({ state_path: path, target: name, include_jobs: wireBool.default(false) }),
  response: BundleDeployment,
  permission: 'user',
  audit: 'bundles.get',
});

const bundlesLock = route({
  method: 'POST',
  path: `${bundlesPath}/lock`,
  summary:
    'Takes the lock of a deployment, which is made if there is none; held by somebody, it is a conflict.',
  request: z.object({
    state_path: path,
    target: name,
    bundle: name,
    machine: z.string().max(300).default(''),
    command: z.string().max(1_000).default(''),
    /** Takes it from whoever holds it: what that one still sends is refused. */
    force: wireBool.default(false),
    request_id: requestId,
  }),
  response: z.looseObject({
    deployment_id: z.int(),
    fence: z.int(),
    current_version: z.int(),
    /** Without a word for so long, a holder loses the lock to the next who asks. */
    silence_ms_max: z.int(),
    /** Whose it was, where it was taken over. */
    taken_from: BundleLock.optional(),
  }),
  permission: 'user',
  audit: 'bundles.lock',
});

const bundlesRenewLock = route({
  method: 'POST',
  path: `${bundlesPath}/lock/renew`,
  summary:
    'Says that the holder of a lock is alive, and what is under way; a conflict when somebody else has it.',
  request: z.object({ ...underLock, pending: z.looseObject({}).optional() }),
  response: Nothing,
  permission: 'user',
  audit: 'bundles.renew-lock',
});

const bundlesUnlock = route({
  method: 'POST',
  path: `${bundlesPath}/unlock`,
  summary: 'Gives a lock back; one that somebody else has taken over stays.',
  request: z.object(underLock),
  response: Nothing,
  permission: 'user',
  audit: 'bundles.unlock',
});

const bundlesFindMissing = route({
  method: 'POST',
  path: `${bundlesPath}/contents/missing`,
  summary: 'Says which contents of files the deployment does not have yet.',
  request: z.object({ ...ofDeployment, hashes: z.array(hash).max(bundleFilesMax) }),
  response: z.looseObject({ missing: z.array(z.string()) }),
  permission: 'user',
  audit: 'bundles.find-missing',
});

const bundlesPutContents = route({
  method: 'POST',
  path: `${bundlesPath}/contents`,
  summary: 'Keeps contents of files for a commit that follows, each in base64 by its hash.',
  request: z.object({
    ...underLock,
    contents: z.array(z.object({ hash, content: z.string() })).max(bundleContentsMax),
  }),
  response: Nothing,
  permission: 'user',
  audit: 'bundles.put-contents',
});

const bundlesCommit = route({
  method: 'POST',
  path: `${bundlesPath}/commit`,
  summary: 'Puts a version in place: all its files and jobs change at once, or none does.',
  request: z.object({
    ...underLock,
    request_id: requestId,
    /** The version that the caller saw: anything else is a conflict. */
    expected_version: wireIntBetween({ min: 0 }),
    message: z.string().max(10_000).optional(),
    git: BundleGit.optional(),
    rolled_back_to: wireInt.optional(),
    /**
     * All that the version has, in the order of creation. Of jobs, `action` says what happens to them here; a job that is
     * made has no id yet, and others name it by `${resources.jobs.<key>.id}`. All else has been done by its own routes.
     */
    resources: z
      .array(
        BundleResource.extend({
          id: BundleResource.shape.id.optional(),
          action: z.enum(['create', 'update', 'keep']).default('keep'),
        }),
      )
      .max(bundleResourcesMax),
    delete_jobs: z.array(wireId).max(bundleResourcesMax).default([]),
    /** All files that the version has; those of the version before that are not named here go. */
    files: z.array(BundleFile).max(bundleFilesMax),
    notes: z.looseObject({}).default({}),
    /** Of what is still to be done after it; replaces what was noted before. */
    pending: z.looseObject({}).default({}),
  }),
  response: z.looseObject({
    version: z.int(),
    /** Ids of all jobs by `jobs.<key>`. */
    job_ids: z.record(z.string(), z.int()),
    /** Those that it deleted; one that belongs to another deployment by now is left. */
    deleted_jobs: z.array(z.int()),
    changes: BundleChanges,
  }),
  permission: 'user',
  audit: 'bundles.commit',
});

const bundlesListVersions = route({
  method: 'GET',
  path: `${bundlesPath}/versions`,
  summary: 'Lists the versions of a deployment that are kept, the newest first.',
  request: z.object({ ...ofDeployment, limit: wireIntBetween({ min: 1, max: 100 }).default(100) }),
  response: z.looseObject({ versions: z.array(BundleVersion) }),
  permission: 'user',
  audit: 'bundles.list-versions',
});

const bundlesGetVersion = route({
  method: 'GET',
  path: `${bundlesPath}/versions/get`,
  summary: 'Shows a version with its resources and files.',
  request: z.object({ ...ofDeployment, version: wireId }),
  response: BundleRecord,
  permission: 'user',
  audit: 'bundles.get-version',
});

const bundlesDestroy = route({
  method: 'POST',
  path: `${bundlesPath}/destroy`,
  summary:
    'Deletes the jobs and files of a deployment, all its versions, and the folders that are named, at once.',
  request: z.object({ ...underLock, folders: z.array(path).max(10).default([]) }),
  response: z.looseObject({ deleted_jobs: z.array(z.int()), deleted_folders: z.array(z.string()) }),
  permission: 'user',
  audit: 'bundles.destroy',
});

export const bundleRoutes = {
  bundlesGet,
  bundlesLock,
  bundlesRenewLock,
  bundlesUnlock,
  bundlesFindMissing,
  bundlesPutContents,
  bundlesCommit,
  bundlesListVersions,
  bundlesGetVersion,
  bundlesDestroy,
};
