// Patterns of `sync` that can match nothing: they lead out of the bundle folder, and no folder outside is sent.

import { listAt, type MappingNode, textAt } from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';

export function findSyncProblems(root: MappingNode): Problem[] {
  if (listAt(root, 'sync', 'paths').some((node) => textAt(node)?.includes('..'))) return [];
  return ['include', 'exclude'].flatMap((field) =>
    listAt(root, 'sync', field).flatMap((node) => {
      const pattern = textAt(node) ?? '';
      if (!pattern.split('/').includes('..')) return [];
      const message = `sync.${field}: '${pattern}' leads out of the bundle folder`;
      return [errorAt(node.at, message, 'name the folder in sync.paths')];
    }),
  );
}
