// Wanted against deployed: what a deploy would do, as data. Pure.

import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt } from '../problem.ts';
import type { ResolvedResource } from '../resolve/resolved-bundle.ts';
import type { Deployed, DeployedResource } from './deployment-state.ts';
import { isFields } from './document-path.ts';
import { adopt, comparePlanned, keepAdopted } from './find-drift.ts';
import { fingerprint } from './fingerprint.ts';
import { isIdByName, Renames } from './follow-renames.ts';
import { kindOf, rankOf, splitResource } from './kinds/kinds.ts';
import { nameOf, orderResources } from './order-resources.ts';
import type { Document, Plan, PlannedAction, PlannedDifference } from './planned-action.ts';
import { type LocalLibrary, type PreparedBundle, wantedLibraries } from './prepared-bundle.ts';
import { fillResourceIds, placeUrls, type ResourceIds } from './resource-ids.ts';

/** What becomes of changes that somebody made by hand: they go, or they stay until the files change the field. */
export interface PlanOptions {
  readonly drift?: 'revert' | 'adopt';
}

export function planBundle(prepared: PreparedBundle, deployed: Deployed, options: PlanOptions = {}): Plan {
  const planner = new Planner(prepared, deployed, options.drift ?? 'revert');
  const wanted = orderResources(prepared.bundle.resources);
  const actions = [...wanted.map((resource) => planner.plan(resource)), ...planDeletes(prepared, deployed)];
  const upload = { libraries: planLibraries(prepared, deployed), files: planFiles(prepared, deployed) };
  const remove = planRemovals(prepared, deployed);
  const hasChanges =
    actions.some((action) => action.action !== 'unchanged' || isAdopting(action, deployed)) ||
    upload.libraries.length > 0 ||
    upload.files.length > 0 ||
    remove.length > 0;
  const seen = Object.fromEntries(
    [...deployed.remotes].map(([resource, remote]) => [resource, fingerprint(remote)]),
  );
  const { drift = 'revert' } = options;
  return { prepared, state: deployed.state, drift, actions, upload, remove, seen, hasChanges };
}

class Planner {
  private readonly prepared: PreparedBundle;
  private readonly deployed: Deployed;
  private readonly drift: 'revert' | 'adopt';
  /** Of resources that stay: what is made again has another id, and what names it changes with it. */
  private readonly lasting: Map<string, string>;
  private readonly renames = new Renames();

  constructor(prepared: PreparedBundle, deployed: Deployed, drift: 'revert' | 'adopt') {
    this.prepared = prepared;
    this.deployed = deployed;
    this.drift = drift;
    this.lasting = new Map(
      Object.entries(deployed.state.resources)
        .filter(([resource]) => deployed.remotes.has(resource))
        .map(([resource, { id }]) => [resource, id]),
    );
  }

  plan(wanted: ResolvedResource): PlannedAction {
    const { kind, key } = wanted;
    const resource = nameOf(wanted);
    const definition = kindOf(kind);
    const recorded = this.deployed.state.resources[resource];
    const remote = this.deployed.remotes.get(resource);
    const { host } = this.prepared.bundle.workspace;
    const fromFiles = placeUrls(definition.toDocument(wanted, this.prepared), host);
    const name = String(definition.nameOf(fromFiles) ?? key);
    const named = { resource, kind, key, name, isLost: false };
    if (recorded === undefined || remote === undefined) {
      const isLost = recorded !== undefined;
      const none = { differences: [], adopted: [] };
      return { ...named, ...none, action: 'create', id: null, document: fromFiles, isLost };
    }
    const existing = this.follow({ wanted, recorded, remote });
    const { id } = existing.recorded;
    this.lasting.set(resource, id);
    const changes = this.compare(fromFiles, existing);
    if (changes.differences.length === 0) return { ...named, ...changes, action: 'unchanged', id };
    const recreates = changes.differences.some((difference) => difference.recreates);
    if (recreates) {
      refuseWherePrevented(wanted, changes.differences);
      this.lasting.delete(resource);
    } else if (isIdByName(kind) && name !== id) {
      this.renames.note(kind, { before: id, after: name });
      this.lasting.set(resource, name);
    }
    return { ...named, ...changes, action: recreates ? 'recreate' : 'update', id };
  }

  /** As it will be when its turn comes: the names of what it lies in may have changed by then. */
  private follow({ wanted, recorded, remote: before }: Existing): Existing {
    const { kind } = wanted;
    const remote = this.renames.follow(kind, before);
    if (remote === before) return { wanted, recorded, remote };
    const document = recorded.document && { ...this.renames.follow(kind, recorded.document) };
    return { wanted, recorded: { ...recorded, document, id: String(kindOf(kind).nameOf(remote)) }, remote };
  }

  private compare(
    fromFiles: Document,
    { wanted, recorded, remote: shown }: Existing,
  ): Pick<PlannedAction, 'document' | 'differences' | 'adopted'> {
    const { rules, recreateOn, toComparable } = kindOf(wanted.kind);
    const before = keepAdopted(fromFiles, recorded);
    const filled = fillResourceIds(before.document, this.lasting);
    const remote = toComparable?.(shown, { document: filled, sent: recorded.document ?? {} }) ?? shown;
    const compared = { remote, wanted: filled, sent: recorded.document, rules, recreateOn };
    const differences = comparePlanned(compared);
    const byHand = differences.filter(({ origin }) => origin === 'hand');
    if (this.drift === 'revert' || byHand.length === 0) return { ...before, differences };
    const after = adopt(before, compared, byHand);
    return { ...after, differences: differences.filter(({ origin }) => origin === 'files') };
  }
}

/** `lifecycle: {prevent_destroy: true}` */
function refuseWherePrevented(
  { kind, key, at, settings }: ResolvedResource,
  differences: readonly PlannedDifference[],
): void {
  const { lifecycle } = settings;
  if (!isFields(lifecycle) || lifecycle.prevent_destroy !== true) return;
  const fields = differences.filter(({ recreates }) => recreates).map(({ path }) => path);
  const message = `${kindOf(kind).noun} ${key} would be deleted and made anew, which its lifecycle prevents: ${fields.join(', ')} cannot be changed in place`;
  const cure = 'put the field back, or take prevent_destroy out';
  throw new BundleError([errorAt(at, message, cure)]);
}

interface Existing {
  readonly wanted: ResolvedResource;
  readonly recorded: DeployedResource;
  readonly remote: Document;
}

/** What is adopted and not yet recorded so, or recorded and no longer adopted. */
function isAdopting({ resource, adopted }: PlannedAction, { state }: Deployed): boolean {
  return JSON.stringify(adopted) !== JSON.stringify(state.resources[resource]?.adopted ?? []);
}

function planDeletes({ bundle }: PreparedBundle, { state }: Deployed): PlannedAction[] {
  const wanted = new Set(bundle.resources.map(nameOf));
  // The record is in the order of creation: what refers to others goes before them.
  return Object.entries(state.resources)
    .reverse()
    .flatMap(([resource, { id, name }]): PlannedAction[] => {
      const split = splitResource(resource);
      if (wanted.has(resource) || split === null) return [];
      const action = { action: 'delete', resource, ...split, name, id, document: null } as const;
      return [{ ...action, differences: [], isLost: false, adopted: [] }];
    })
    .sort((a, b) => rankOf(b.kind) - rankOf(a.kind));
}

function planLibraries(prepared: PreparedBundle, deployed: Deployed): LocalLibrary[] {
  return wantedLibraries(prepared).filter((library) => !deployed.state.uploads.includes(library.remote_path));
}

function planFiles(prepared: PreparedBundle, deployed: Deployed): Plan['upload']['files'] {
  return prepared.bundle.files.flatMap((file) => {
    const hash = prepared.fileHashes.get(file.local.path) ?? '';
    const recorded = deployed.state.files[file.local.path];
    return recorded?.hash === hash && recorded.remote_path === file.remotePath ? [] : [{ ...file, hash }];
  });
}

function planRemovals(prepared: PreparedBundle, deployed: Deployed): string[] {
  const keptFiles = new Set(prepared.bundle.files.map((file) => file.remotePath));
  const keptLibraries = new Set(wantedLibraries(prepared).map((library) => library.remote_path));
  return [
    ...Object.values(deployed.state.files)
      .map((file) => file.remote_path)
      .filter((remote) => !keptFiles.has(remote)),
    ...deployed.state.uploads.filter((remote) => !keptLibraries.has(remote)),
  ];
}

/** As `<kind>.<key>` → id. */
export function idsOf(state: Pick<Deployed['state'], 'resources'>): ResourceIds {
  return new Map(Object.entries(state.resources).map(([resource, { id }]) => [resource, id]));
}
