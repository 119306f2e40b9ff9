// What resolving ends in: everything that validate, plan and deploy know of a bundle. Plain data.

import type { LocalFile } from '../load/list-files.ts';
import type { MappingNode } from '../nodes.ts';
import type { Position, Problem } from '../problem.ts';
import type { ResourceKind } from './resource-kinds.ts';

export type Mode = 'development' | 'production' | null;

export interface ResolvedResource {
  readonly kind: ResourceKind;
  readonly key: string;
  readonly at: Position;
  /** With positions; the same values as `settings`. */
  readonly node: MappingNode;
  /** The document to send, without `permissions`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Its own, then the bundle's. */
  readonly permissions: readonly ResolvedPermission[];
}

export interface ResolvedJob extends ResolvedResource {
  readonly kind: 'jobs';
}

export interface ResolvedPermission {
  readonly at: Position;
  readonly level: string;
  readonly principal: {
    readonly kind: 'user_name' | 'group_name' | 'service_principal_name';
    readonly name: string;
  };
}

export const ARTIFACT_TYPES = ['whl', 'jar', 'other'] as const;
export type ArtifactType = (typeof ARTIFACT_TYPES)[number];
export const ARTIFACT_SHELLS = ['bash', 'sh', 'cmd'] as const;

export interface ResolvedArtifact {
  readonly name: string;
  readonly at: Position;
  readonly type: ArtifactType;
  /** Relative to the bundle folder, '' for the folder itself. */
  readonly path: string;
  /** A shell command; null: the project's own build backend. */
  readonly build: string | null;
  /** What runs `build`; null: the platform's own shell. */
  readonly executable: (typeof ARTIFACT_SHELLS)[number] | null;
  /** The wheel's version gets the time of the build, so that each build is another version. */
  readonly dynamicVersion: boolean;
  /** Patterns relative to the bundle folder that name the built files; empty: what the build leaves in dist. */
  readonly sources: readonly string[];
}

export interface ResolvedScript {
  readonly name: string;
  readonly at: Position;
  /** References are replaced, except ids that only a deployment knows. */
  readonly content: string;
}

/** What the folder's repository says; null where there is none, or where it does not say. */
export interface GitFacts {
  readonly branch: string | null;
  readonly commit: string | null;
  readonly originUrl: string | null;
}

export interface SyncFile {
  readonly local: LocalFile;
  readonly remotePath: string;
}

export interface ResolvedBundle {
  readonly name: string;
  readonly target: string;
  readonly mode: Mode;
  /** Absolute. */
  readonly folder: string;
  readonly workspace: {
    readonly host: string;
    readonly userName: string;
    readonly rootPath: string;
    readonly filePath: string;
    readonly artifactPath: string;
    readonly statePath: string;
  };
  readonly git: GitFacts;
  readonly deployment: { readonly lockEnabled: boolean };
  /** Of all supported kinds, jobs too, in the order of the files. */
  readonly resources: readonly ResolvedResource[];
  /** Those of `resources` that are jobs. */
  readonly jobs: readonly ResolvedJob[];
  /** The bundle's own; `resources` have them already. */
  readonly permissions: readonly ResolvedPermission[];
  readonly scripts: readonly ResolvedScript[];
  readonly artifacts: readonly ResolvedArtifact[];
  readonly files: readonly SyncFile[];
  /** All files below the folder, also those that `sync.exclude` keeps from the workspace: what builds start from. */
  readonly localFiles: readonly LocalFile[];
  /** Files that say what to deploy and are no input of a build. */
  readonly configFiles: readonly string[];
  /** Kept in the document, left out of the deployment. */
  readonly unsupported: readonly { readonly kind: string; readonly key: string; readonly at: Position }[];
  /** The whole configuration after resolving, without targets and variables. */
  readonly root: MappingNode;
  readonly problems: readonly Problem[];
}
