// What a deploy would do, as data.

import type { SyncFile } from '../resolve/resolved-bundle.ts';
import type { ResourceKind } from '../resolve/resource-kinds.ts';
import type { AdoptedField, DeploymentState } from './deployment-state.ts';
import type { Difference } from './find-differences.ts';
import type { LocalLibrary, PreparedBundle } from './prepared-bundle.ts';

export type Document = Readonly<Record<string, unknown>>;

export const ACTIONS = ['create', 'update', 'recreate', 'delete', 'unchanged'] as const;
export type Action = (typeof ACTIONS)[number];

export interface PlannedDifference extends Difference {
  /** `hand`: the files say what they said at the last deployment; somebody changed it on the server since. */
  readonly origin: 'files' | 'hand';
  /** A change of this field cannot be made in place. */
  readonly recreates: boolean;
}

export interface PlannedAction {
  readonly action: Action;
  /** `jobs.daily` */
  readonly resource: string;
  readonly kind: ResourceKind;
  readonly key: string;
  readonly name: string;
  /** null: there is none yet. */
  readonly id: string | null;
  /** What is sent; ids of resources that are yet to be made stand as `${resources.…}`. null for `delete`. */
  readonly document: Document | null;
  /** Of `update` and `recreate`: the fields that become others. */
  readonly differences: readonly PlannedDifference[];
  /** Of `create`: it was there, and somebody deleted it by hand. */
  readonly isLost?: boolean;
  /** Changed by hand and left so (`--drift adopt`): to be recorded with the resource. */
  readonly adopted: readonly AdoptedField[];
}

export interface Plan {
  readonly prepared: PreparedBundle;
  readonly state: DeploymentState;
  readonly drift: 'revert' | 'adopt';
  /** In the order they are applied: what is referred to comes first, deletes come last. */
  readonly actions: readonly PlannedAction[];
  readonly upload: {
    readonly libraries: readonly LocalLibrary[];
    readonly files: readonly (SyncFile & { readonly hash: string })[];
  };
  /** Recorded files and libraries that the bundle no longer has, by remote path. */
  readonly remove: readonly string[];
  /** What stands on the server and was looked at, as hashes by resource. */
  readonly seen: Readonly<Record<string, string>>;
  readonly hasChanges: boolean;
}
