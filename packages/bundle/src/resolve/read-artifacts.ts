// The `artifacts` of a resolved configuration: what is built before a deployment, and how.

import { entriesAt, listAt, type MappingNode, type Node, at as nodeAt, scalarAt, textAt } from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';
import { ARTIFACT_SHELLS, ARTIFACT_TYPES, type ResolvedArtifact } from './resolved-bundle.ts';

export function readArtifacts(root: MappingNode, problems: Problem[]): ResolvedArtifact[] {
  return entriesAt(root, 'artifacts').flatMap(([name, { keyAt, value }]) => {
    // Other words are custom builds: a command and the files it leaves.
    const type = ARTIFACT_TYPES.find((known) => known === (textAt(value, 'type') ?? 'whl')) ?? 'other';
    const folder = trimPath(textAt(value, 'path') ?? '.');
    if (folder === null) {
      problems.push(
        errorAt(keyAt, `artifact ${name}: path leads out of the bundle folder`, 'write a path below it'),
      );
      return [];
    }
    const sources = listAt(value, 'files').flatMap(
      (file: Node) => trimPath(textAt(file, 'source') ?? '') ?? [],
    );
    const shell = nodeAt(value, 'executable');
    const executable = ARTIFACT_SHELLS.find((known) => known === textAt(shell)) ?? null;
    if (shell !== undefined && executable === null) {
      const message = `artifact ${name}: this executable is not known`;
      problems.push(errorAt(shell.at, message, `write one of ${ARTIFACT_SHELLS.join(', ')}`));
    }
    return [
      {
        name,
        at: keyAt,
        type,
        path: folder,
        build: textAt(value, 'build'),
        executable,
        dynamicVersion: scalarAt(value, 'dynamic_version') === true,
        sources: sources.filter((source) => source !== ''),
      },
    ];
  });
}

function trimPath(text: string): string | null {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') || text.startsWith('/') ? null : parts.join('/');
}
