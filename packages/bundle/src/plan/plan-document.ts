// A plan as JSON: for programs, for review, and for a deployment that does exactly this or nothing. Its form is described
// in docs/bundles/plan.md; fields are added to it, never taken away within a version.

import { z } from 'zod';
import { fingerprint } from './fingerprint.ts';
import { maskSecrets } from './mask-secrets.ts';
import { ACTIONS, type Plan, type PlannedAction } from './planned-action.ts';
import { wantedLibraries } from './prepared-bundle.ts';

export const PLAN_VERSION = 1;

const Hashes = z.record(z.string(), z.string());

const ActionDocument = z.looseObject({
  action: z.enum(ACTIONS),
  resource: z.string(),
  kind: z.string(),
  key: z.string(),
  name: z.string(),
  id: z.string().nullable(),
  is_lost: z.boolean(),
  /** Of the document that is sent, with the values that are not shown here. */
  fingerprint: z.string(),
  differences: z.array(
    z.looseObject({ path: z.string(), origin: z.enum(['files', 'hand']), recreates: z.boolean() }),
  ),
  adopted: z.array(z.looseObject({ path: z.string() })),
});

export const PlanDocument = z.looseObject({
  plan_version: z.literal(PLAN_VERSION),
  bundle: z.string(),
  target: z.string(),
  drift: z.enum(['revert', 'adopt']),
  has_changes: z.boolean(),
  /** What the plan stands on: nothing of it may have changed when it is applied. */
  base: z.looseObject({
    serial: z.int(),
    /** Hashes of the resources as the server showed them, by `<kind>.<key>`. */
    resources: Hashes,
    /** Hashes of the local files that are sent, by local path. */
    files: Hashes,
    /** Hashes of wheels and jars, by remote path. */
    libraries: Hashes,
  }),
  actions: z.array(ActionDocument),
  upload_files: z.array(z.string()),
  upload_libraries: z.array(z.string()),
  remove: z.array(z.string()),
});
export type PlanDocument = z.output<typeof PlanDocument>;

export function toPlanDocument(plan: Plan): PlanDocument {
  const { prepared, state, upload } = plan;
  const { bundle, fileHashes } = prepared;
  return {
    plan_version: PLAN_VERSION,
    bundle: bundle.name,
    target: bundle.target,
    drift: plan.drift,
    has_changes: plan.hasChanges,
    base: {
      serial: state.serial,
      resources: { ...plan.seen },
      files: Object.fromEntries(
        bundle.files.map(({ local }) => [local.path, fileHashes.get(local.path) ?? '']),
      ),
      libraries: Object.fromEntries(
        wantedLibraries(prepared).map((library) => [library.remote_path, library.content_hash]),
      ),
    },
    actions: plan.actions.map(toActionDocument),
    upload_files: upload.files.map(({ remotePath }) => remotePath),
    upload_libraries: upload.libraries.map(({ remote_path }) => remote_path),
    remove: [...plan.remove],
  };
}

function toActionDocument(action: PlannedAction): PlanDocument['actions'][number] {
  const { document, differences, adopted, isLost = false, ...rest } = action;
  return {
    ...rest,
    is_lost: isLost,
    document: maskSecrets(document),
    fingerprint: fingerprint(document),
    differences: differences.map(({ path, steps, before, after, origin, recreates }) => {
      const name = String(steps.at(-1));
      const shown = { before: maskSecrets(before, name), after: maskSecrets(after, name) };
      return { path, ...shown, origin, recreates };
    }),
    adopted: adopted.map(({ path, steps, file, kept }) => {
      const name = String(steps.at(-1));
      return { path, file: maskSecrets(file, name), kept: maskSecrets(kept, name) };
    }),
  };
}

/** How many differences of one sort are named. */
const NAMED_MAX = 5;

/** Why a plan that was kept may not be applied: what has changed since, in words. Empty: it stands. */
export function findPlanChanges(kept: PlanDocument, plan: Plan): string[] {
  const now = toPlanDocument(plan);
  if (kept.bundle !== now.bundle || kept.target !== now.target)
    return [
      `the plan is for bundle ${kept.bundle}, target ${kept.target}, not for ${now.bundle}, target ${now.target}`,
    ];
  const moved = [
    ...(kept.base.serial === now.base.serial
      ? []
      : [`somebody has deployed since: version ${now.base.serial}, planned on ${kept.base.serial}`]),
    ...describe('changed on the server since', kept.base.resources, now.base.resources),
    ...describe('local files that changed since', kept.base.files, now.base.files),
    ...describe('wheels and jars that are built otherwise now', kept.base.libraries, now.base.libraries),
  ];
  if (moved.length > 0) return moved;
  const documents = ({ actions }: PlanDocument) =>
    Object.fromEntries(
      actions.map((action) => [action.resource, fingerprint([action.action, action.fingerprint])]),
    );
  const changed = describe('settings that the bundle gives otherwise now', documents(kept), documents(now));
  if (changed.length > 0) return changed;
  const rest = (document: PlanDocument) =>
    JSON.stringify([document.upload_files, document.upload_libraries, document.remove]);
  return rest(kept) === rest(now) ? [] : ['what is to be uploaded or removed is not the same any more'];
}

function describe(
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .sort();
  if (names.length === 0) return [];
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
  return [`${what}: ${names.slice(0, NAMED_MAX).join(', ')}${more}`];
}
