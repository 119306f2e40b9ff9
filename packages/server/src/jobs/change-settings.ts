/**
 * What `update` does to a settings document: a field that is given replaces the old one, but in arrays whose entries
 * have keys, entries are replaced and added by key, and the others stay. Fields inside an entry are not merged.
 * Source: the public API reference of jobs/update.
 */
import type { Document } from '../runs/run-facts.ts';

const keyFields: Readonly<Record<string, string>> = {
  tasks: 'task_key',
  job_clusters: 'job_cluster_key',
};

export function changeSettings(
  settings: Document,
  change: { readonly newSettings: Document; readonly fieldsToRemove: readonly string[] },
): Document {
  const changed: Record<string, Document[string]> = { ...settings };
  for (const path of change.fieldsToRemove) removeField(changed, path);
  for (const [name, value] of Object.entries(change.newSettings)) {
    const keyField = keyFields[name];
    const before = changed[name];
    changed[name] =
      keyField !== undefined && isEntries(before) && isEntries(value)
        ? mergeByKey(before, value, keyField)
        : value;
  }
  return changed;
}

/** `name`, or `tasks/<key>` and `job_clusters/<key>`. */
function removeField(settings: Record<string, Document[string]>, path: string): void {
  const slash = path.indexOf('/');
  const name = slash < 0 ? path : path.slice(0, slash);
  const keyField = keyFields[name];
  const entries = settings[name];
  if (slash < 0) delete settings[name];
  else if (keyField !== undefined && isEntries(entries)) {
    settings[name] = entries.filter((entry) => entry[keyField] !== path.slice(slash + 1));
  }
}

function mergeByKey(before: readonly Document[], given: readonly Document[], keyField: string): Document[] {
  const replaced = before.map((entry) => given.find((other) => other[keyField] === entry[keyField]) ?? entry);
  const added = given.filter((entry) => !before.some((other) => other[keyField] === entry[keyField]));
  return [...replaced, ...added];
}

function isEntries(value: unknown): value is readonly Document[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'object' && entry !== null);
}
