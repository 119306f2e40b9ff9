// What a plan must know of one kind of resource: how its document is made from the files, which routes read and change
// it, and what is no difference.

import type { Client } from '@headrace/api';
import type { z } from 'zod';
import type { ResolvedResource } from '../../resolve/resolved-bundle.ts';
import type { ResourceKind } from '../../resolve/resource-kinds.ts';
import type { ComparisonRules } from '../find-differences.ts';
import type { Document } from '../planned-action.ts';
import type { PreparedBundle } from '../prepared-bundle.ts';

/** The routes that kinds use. */
export type KindClient = Pick<
  Client,
  | 'jobsCreate'
  | 'jobsGet'
  | 'jobsList'
  | 'jobsReset'
  | 'jobsDelete'
  | 'clustersCreate'
  | 'clustersEdit'
  | 'clustersDelete'
  | 'clustersGet'
  | 'clustersList'
  | 'clustersPermanentDelete'
  | 'clustersStart'
  | 'instancePoolsCreate'
  | 'instancePoolsEdit'
  | 'instancePoolsGet'
  | 'instancePoolsList'
  | 'instancePoolsDelete'
  | 'clusterPoliciesCreate'
  | 'clusterPoliciesEdit'
  | 'clusterPoliciesGet'
  | 'clusterPoliciesList'
  | 'clusterPoliciesDelete'
  | 'warehousesCreate'
  | 'warehousesEdit'
  | 'warehousesGet'
  | 'warehousesList'
  | 'warehousesDelete'
  | 'queriesCreate'
  | 'queriesUpdate'
  | 'queriesGet'
  | 'queriesList'
  | 'queriesDelete'
  | 'textAlertsCreate'
  | 'textAlertsUpdate'
  | 'textAlertsGet'
  | 'textAlertsList'
  | 'textAlertsTrash'
  | 'catalogsCreate'
  | 'catalogsUpdate'
  | 'catalogsGet'
  | 'catalogsDelete'
  | 'schemasCreate'
  | 'schemasUpdate'
  | 'schemasGet'
  | 'schemasDelete'
  | 'volumesCreate'
  | 'volumesUpdate'
  | 'volumesGet'
  | 'volumesDelete'
  | 'secretScopesCreate'
  | 'secretScopesList'
  | 'secretScopesDelete'
  | 'secretAclsPut'
  | 'secretAclsList'
  | 'secretAclsDelete'
>;

export interface KindDefinition {
  readonly kind: ResourceKind;
  /** What people call one: `SQL warehouse`. */
  readonly noun: string;
  /** What goes with it for good when it is deleted; null: nothing. */
  readonly loss: string | null;
  readonly rules: ComparisonRules;
  /** Fields that cannot be changed in place. */
  readonly recreateOn: readonly string[];
  /** What is sent, from what the files say. */
  toDocument(resource: ResolvedResource, prepared: PreparedBundle): Document;
  nameOf(document: Document): unknown;
  /** In the form of the documents that are sent; null: it is not there. `wanted` names what the server may fill in. */
  read(id: string, client: KindClient): Promise<Document | null>;
  /** What of a document as read may be compared with the one that is wanted; without it all of it. */
  toComparable?(remote: Document, wanted: { readonly document: Document; readonly sent: Document }): Document;
  /** Gives its id. */
  create(document: Document, client: KindClient): Promise<string>;
  /** Gives its id, which a new name may change. */
  update(change: Change, client: KindClient): Promise<string>;
  /** What is gone already is no error. */
  delete(id: string, client: KindClient): Promise<void>;
  /** Ids of those that could be what an interrupted deployment made. */
  find(document: Document, client: KindClient): Promise<string[]>;
  /** Whether one of them carries the mark of this very resource; without it only its equal may be taken for it. */
  isMarked?(remote: Document, document: Document): boolean;
}

export interface Change {
  readonly id: string;
  readonly document: Document;
  /** The document before this one; empty: unknown. */
  readonly sent: Document;
  /** Fields of the document that become others, at its top level. */
  readonly fields: ReadonlySet<string>;
}

export const NO_RULES: ComparisonRules = { listKeys: {}, sets: [], defaults: {}, userMaps: [] };

/** As the contract types it, numbers written as texts and texts as numbers; what it refuses stays, for the server to say so. */
export function asTyped(schema: z.ZodType, document: Document): Document {
  const parsed = schema.safeParse(document);
  return parsed.success ? (parsed.data as Document) : document; // schemas of documents give documents
}

/** What bundles say beside the document of a resource. */
const BUNDLE_FIELDS = ['lifecycle', 'grants', 'permissions'];

export function withoutBundleFields(settings: Document): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([field]) => !BUNDLE_FIELDS.includes(field)));
}

export function pickFields(document: Document, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([field]) => fields.includes(field)));
}

export function omitFields(document: Document, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([field]) => !fields.includes(field)));
}
