// `{{tasks.<key>.…}}` of a task that this one does not wait for: it may be read before it is there.

import { listAt, type MappingNode, mapScalars, type Node, textAt } from '../nodes.ts';
import { type Problem, warningAt } from '../problem.ts';

const OF_TASK = /\{\{\s*tasks\.([\w-]+)\.[^{}]*\}\}/g;

export function findEarlyReferences(job: MappingNode): Problem[] {
  // The task of a for-each is a part of it here.
  const tasks = listAt(job, 'tasks');
  const parents = new Map(
    tasks.map((task) => [
      textAt(task, 'task_key') ?? '',
      listAt(task, 'depends_on').flatMap((parent) => textAt(parent, 'task_key') ?? []),
    ]),
  );
  return tasks.flatMap((task) => {
    const references = referencesIn(task);
    const key = textAt(task, 'task_key') ?? '';
    if (references.length === 0) return [];
    const before = ancestorsOf(key, parents);
    return references
      .filter((reference) => parents.has(reference.key) && !before.has(reference.key))
      .map(({ key: other, whole, at }) => {
        const isSelf = other === key;
        const why = isSelf
          ? `task '${key}' cannot read itself before it runs`
          : `task '${key}' does not wait for '${other}', directly or through others`;
        const cure = isSelf ? 'name another task' : `add '${other}' to depends_on`;
        return warningAt(at, `${whole} may not be known yet: ${why}`, cure);
      });
  });
}

function referencesIn(task: Node) {
  const references: { key: string; whole: string; at: Node['at'] }[] = [];
  mapScalars(task, (scalar, path) => {
    const isProse = path.at(-1) === 'description';
    const text = typeof scalar.value === 'string' && !isProse ? scalar.value : '';
    for (const [whole, key = ''] of text.matchAll(OF_TASK)) references.push({ key, whole, at: scalar.at });
    return scalar;
  });
  return references;
}

function ancestorsOf(key: string, parents: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [...(parents.get(key) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(parents.get(next) ?? []));
  }
  return found;
}
