/**
 * Task values as later tasks see them: by task key, those of a for-each gathered over its iterations. Under a name that user
 * code cannot set, a SQL task hands on the rows of its last result, and the state of an alert: references read them as its output.
 */
import { currentDefinition, type JsonValue, type Run, slotOf, type TaskOutput } from '@headrace/core';

/** As `headrace_runtime/documents.py` writes it. */
const outputRowsName = 'headrace:output.rows';
const alertStateName = 'headrace:output.alert_state';
const outputNames: readonly string[] = [outputRowsName, alertStateName];

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
    if (ofTask) values[key] = withoutOutput(ofTask);
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
  return withoutOutput(run.taskValues.get(taskKey) ?? {});
}

/** Undefined for a task that hands on no rows. */
export function outputOfTask(run: Run, taskKey: string): TaskOutput | undefined {
  const values = run.taskValues.get(taskKey) ?? {};
  const { [outputRowsName]: rows, [alertStateName]: alertState } = values;
  // The runtime writes a list of objects, and a text; whatever else a process left there is no output.
  if (!Array.isArray(rows) || !rows.every(isRow)) return undefined;
  return typeof alertState === 'string' ? { rows, alertState } : { rows };
}

function isRow(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutOutput(values: Readonly<Record<string, JsonValue>>): Readonly<Record<string, JsonValue>> {
  if (!outputNames.some((name) => Object.hasOwn(values, name))) return values;
  return Object.fromEntries(Object.entries(values).filter(([name]) => !outputNames.includes(name)));
}

/** For each name a list in the order of the inputs; null where an iteration did not set it. Only of an ended for-each. */
function gatherIterations(run: Run, outerKey: string, nestedKey: string): Record<string, JsonValue[]> {
  const count = isUnderWay(run, outerKey) ? 0 : (run.taskRuns.get(outerKey)?.inputs?.length ?? 0);
  const gathered: Record<string, JsonValue[]> = {};
  for (let iteration = 0; iteration < count; iteration++) {
    const ofIteration = withoutOutput(run.taskValues.get(slotOf(nestedKey, iteration)) ?? {});
    for (const [name, value] of Object.entries(ofIteration)) {
      gathered[name] ??= new Array<JsonValue>(count).fill(null);
      gathered[name][iteration] = value;
    }
  }
  return gathered;
}

function isUnderWay(run: Run, outerKey: string): boolean {
  return run.taskRuns.get(outerKey)?.state.kind !== 'ended';
}
