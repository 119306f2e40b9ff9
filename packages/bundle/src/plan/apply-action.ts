// One planned action, done through the ordinary routes of its kind.

import { findDifferences } from './find-differences.ts';
import type { KindClient } from './kinds/kind-definition.ts';
import { kindOf } from './kinds/kinds.ts';
import type { Document, Plan, PlannedAction } from './planned-action.ts';
import { fillResourceIds, type ResourceIds } from './resource-ids.ts';

export interface ApplyContext {
  readonly plan: Pick<Plan, 'state'>;
  /** Of all resources that are there. */
  readonly ids: ResourceIds;
  readonly client: KindClient;
}

/** Gives the id of the resource; null after a delete. */
export async function applyAction(action: PlannedAction, context: ApplyContext): Promise<string | null> {
  const { client, ids, plan } = context;
  const definition = kindOf(action.kind);
  const document = fillResourceIds(action.document ?? {}, ids);
  const recorded = plan.state.resources[action.resource];
  switch (action.action) {
    case 'unchanged':
      return action.id;
    case 'create': {
      const found = await findMade(action, document, context);
      if (found === null) return definition.create(document, client);
      if (found.isEqual) return found.id;
      const fields = new Set(Object.keys(document));
      return definition.update({ id: found.id, document, fields, sent: {} }, client);
    }
    case 'update': {
      const fields = new Set(action.differences.map(({ steps }) => String(steps[0])));
      const change = { id: action.id ?? '', document, fields, sent: recorded?.document ?? {} };
      return definition.update(change, client);
    }
    case 'recreate':
      await definition.delete(action.id ?? '', client);
      return definition.create(document, client);
    case 'delete':
      await definition.delete(action.id ?? '', client);
      return null;
  }
}

/** What an interrupted deployment made without living to record it: it has our mark, or it says the same and is nobody's. */
async function findMade(
  { kind, resource }: PlannedAction,
  document: Document,
  { plan, client }: Pick<ApplyContext, 'plan' | 'client'>,
): Promise<{ id: string; isEqual: boolean } | null> {
  const definition = kindOf(kind);
  const isBegun = plan.state.creating?.includes(resource) === true;
  if (!isBegun && definition.isMarked === undefined) return null;
  const recorded = new Set(
    Object.entries(plan.state.resources)
      .filter(([name]) => name.startsWith(`${kind}.`))
      .map(([, { id }]) => id),
  );
  for (const id of await definition.find(document, client)) {
    const shown = recorded.has(id) ? null : await definition.read(id, client);
    if (shown === null) continue;
    const remote = definition.toComparable?.(shown, { document, sent: {} }) ?? shown;
    const isEqual = findDifferences(remote, document, definition.rules).length === 0;
    if (definition.isMarked?.(remote, document) ?? isEqual) return { id, isEqual };
  }
  return null;
}
