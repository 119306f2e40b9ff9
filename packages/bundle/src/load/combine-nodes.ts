// Several files as one document: mappings join, lists append; one value given by two files is a mistake, never a silent winner.

import { type Entry, isEmpty, type MappingNode, type Node } from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';

export function combineNodes(first: MappingNode, second: MappingNode, problems: Problem[]): MappingNode {
  const entries = new Map<string, Entry>(first.entries);
  for (const [key, entry] of second.entries) {
    const before = entries.get(key);
    entries.set(
      key,
      before === undefined
        ? entry
        : { keyAt: before.keyAt, value: combineValues(before, entry, key, problems) },
    );
  }
  return { ...first, entries };
}

function combineValues(before: Entry, after: Entry, key: string, problems: Problem[]): Node {
  if (isEmpty(before.value)) return after.value;
  if (isEmpty(after.value)) return before.value;
  if (before.value.kind === 'mapping' && after.value.kind === 'mapping') {
    return combineNodes(before.value, after.value, problems);
  }
  if (before.value.kind === 'list' && after.value.kind === 'list') {
    return { ...before.value, entries: [...before.value.entries, ...after.value.entries] };
  }
  problems.push(
    errorAt(
      after.keyAt,
      `'${key}' is already given at ${before.keyAt.file}:${before.keyAt.line}:${before.keyAt.column}; keep one`,
    ),
  );
  return before.value;
}
