// Wrong types in the sections of the file itself: of the chosen target after references are replaced.

import { z } from 'zod';
import { isEmpty, type MappingNode, type Node, at as nodeAt, toPlain, withoutKeys } from '../nodes.ts';
import type { Problem } from '../problem.ts';
import { BundleFile } from '../schema/bundle-file.ts';
import { findTypeProblems } from './find-type-problems.ts';

/** Resources are checked by kind, and scripts where they are read; here it counts only that they are mappings. */
const Resources = z.record(z.string(), z.record(z.string(), z.unknown()).optional());
const Sections = BundleFile.omit({ targets: true, variables: true, include: true }).extend({
  resources: Resources.optional(),
  scripts: z.record(z.string(), z.unknown()).optional(),
});
const TargetSections = z.looseObject({
  variables: z.record(z.string(), z.unknown()).optional(),
  targets: z.record(z.string(), z.looseObject({}).optional()).optional(),
});

export function findSectionProblems(resolved: MappingNode, written: MappingNode): Problem[] {
  const sections = withoutKeys(resolved, ['resources']);
  const values = { ...valuesOf(sections), resources: outline(nodeAt(resolved, 'resources'), 1) };
  const given = {
    variables: outline(nodeAt(written, 'variables'), 0),
    targets: outline(nodeAt(written, 'targets'), 1),
  };
  return [
    ...findTypeProblems(Sections, { node: resolved, values, owner: '' }),
    ...findTypeProblems(TargetSections, { node: written, values: given, owner: '' }),
  ];
}

/** The upper levels of a mapping, with nothing in them: a thousand tasks are not copied to see that they are there. */
function outline(node: Node | undefined, levels: number): unknown {
  if (node === undefined || isEmpty(node)) return undefined;
  if (node.kind !== 'mapping') return toPlain(node);
  if (levels === 0) return {};
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, outline(value, levels - 1)]));
}

/** An empty field says nothing: it is left out, as the rest of the package does. */
function valuesOf(node: MappingNode): object {
  return toPlain(withoutEmpty(node)) as object; // a mapping becomes one
}

function withoutEmpty(node: Node): Node {
  if (node.kind === 'list') return { ...node, entries: node.entries.map(withoutEmpty) };
  if (node.kind !== 'mapping') return node;
  const entries = [...node.entries]
    .filter(([, { value }]) => value.kind !== 'scalar' || value.value !== null)
    .map(([key, entry]) => [key, { ...entry, value: withoutEmpty(entry.value) }] as const);
  return { ...node, entries: new Map(entries) };
}
