/** Task values as later tasks see them: by task key, those of a for-each gathered over its iterations. */
import { currentDefinition, type JsonValue, type Run, slotOf } from '@headrace/core';

export type ValuesByTask = Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;

/** Values change far less often than attempts are made: kept by the identity of what they are made from. */
const known = new WeakMap<Run['taskValues'], ValuesByTask>();

export function valuesForTasks(run: Run): ValuesByTask {
  const seen = known.get(run.taskValues);
  if (seen) return seen;
  const values: Record<string, Readonly<Record<string, JsonValue>>> = {};
  const { byKey, nested } = currentDefinition(run);
  for (const key of byKey.keys()) {
    const ofTask = run.taskValues.get(key);
    if (ofTask) values[key] = ofTask;
  }
  for (const [key, { outerKey }] of nested) {
    const gathered = gatherIterations(run, outerKey, key);
    if (Object.keys(gathered).length > 0) values[outerKey] = gathered;
  }
  // While iterations run, what they have set so far would be gathered again with each of them.
  if (![...nested.values()].some(({ outerKey }) => isUnderWay(run, outerKey)))
    known.set(run.taskValues, values);
  return values;
}

export function valuesOfTask(run: Run, taskKey: string): Readonly<Record<string, JsonValue>> {
  for (const [key, { outerKey }] of currentDefinition(run).nested) {
    if (outerKey === taskKey) return gatherIterations(run, taskKey, key);
  }
  return run.taskValues.get(taskKey) ?? {};
}

/** For each name a list in the order of the inputs; null where an iteration did not set it. Only of an ended for-each. */
function gatherIterations(run: Run, outerKey: string, nestedKey: string): Record<string, JsonValue[]> {
  const count = isUnderWay(run, outerKey) ? 0 : (run.taskRuns.get(outerKey)?.inputs?.length ?? 0);
  const gathered: Record<string, JsonValue[]> = {};
  for (let iteration = 0; iteration < count; iteration++) {
    for (const [name, value] of Object.entries(run.taskValues.get(slotOf(nestedKey, iteration)) ?? {})) {
      gathered[name] ??= new Array<JsonValue>(count).fill(null);
      gathered[name][iteration] = value;
    }
  }
  return gathered;
}

function isUnderWay(run: Run, outerKey: string): boolean {
  return run.taskRuns.get(outerKey)?.state.kind !== 'ended';
}
