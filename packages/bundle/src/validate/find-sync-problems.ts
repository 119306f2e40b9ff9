// Patterns of `sync` that can match nothing: files of the bundle are named from its folder on.

import { listAt, type MappingNode, textAt } from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';

export function findSyncProblems(root: MappingNode): Problem[] {
  return ['include', 'exclude'].flatMap((field) =>
    listAt(root, 'sync', field).flatMap((node) => {
      const pattern = textAt(node) ?? '';
      if (!pattern.startsWith('/') && !pattern.split('/').includes('..')) return [];
      const message = `sync.${field}: '${pattern}' leads out of the bundle folder`;
      return [errorAt(node.at, message, 'name the folder in sync.paths')];
    }),
  );
}
