// Wrong types in the sections of the file itself: of the chosen target after references are replaced.

import { z } from 'zod';
import { type MappingNode, type Node, toPlain } from '../nodes.ts';
import type { Problem } from '../problem.ts';
import { BundleFile } from '../schema/bundle-file.ts';
import { findTypeProblems } from './find-type-problems.ts';

/** Resources are checked by kind, and scripts where they are read; here it counts only that they are mappings. */
const Resources = z.record(z.string(), z.record(z.string(), z.unknown()));
const Sections = BundleFile.omit({ targets: true, variables: true, include: true }).extend({
  resources: Resources.optional(),
  scripts: z.record(z.string(), z.unknown()).optional(),
});
const TargetSections = z.looseObject({
  variables: z.record(z.string(), z.unknown()).optional(),
  targets: z.record(z.string(), z.looseObject({})).optional(),
});

export function findSectionProblems(resolved: MappingNode, written: MappingNode): Problem[] {
  return [
    ...findTypeProblems(Sections, { node: resolved, values: valuesOf(resolved), owner: '' }),
    ...findTypeProblems(TargetSections, { node: written, values: valuesOf(written), owner: '' }),
  ];
}

/** An empty field says nothing: it is left out, as the rest of the package does. */
function valuesOf(node: MappingNode): unknown {
  return toPlain(withoutEmpty(node));
}

function withoutEmpty(node: Node): Node {
  if (node.kind === 'list') return { ...node, entries: node.entries.map(withoutEmpty) };
  if (node.kind !== 'mapping') return node;
  const entries = [...node.entries]
    .filter(([, { value }]) => value.kind !== 'scalar' || value.value !== null)
    .map(([key, entry]) => [key, { ...entry, value: withoutEmpty(entry.value) }] as const);
  return { ...node, entries: new Map(entries) };
}
