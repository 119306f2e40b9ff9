// Fields that no schema knows. Each is most often a typing mistake: a warning that names the nearest known one, or
// the level where the field would be known.

import type { z } from 'zod';
import { suggest } from '../find-nearest.ts';
import { isEmpty, type MappingNode, type Node } from '../nodes.ts';
import { kindOf } from '../plan/kinds/kinds.ts';
import { type Problem, warningAt } from '../problem.ts';
import { RESOURCE_KINDS } from '../resolve/resource-kinds.ts';
import { BundleFile, OTHER_KINDS, resourceFields, resourceSchemas } from '../schema/bundle-file.ts';
import { moreFieldsOf } from '../schema/more-fields.ts';
import { shapeOf } from '../schema/walk-schema.ts';

type Schema = z.core.$ZodType;
type Fields = Readonly<Record<string, Schema>>;

/** A level of the file: what may stand there, and what a person calls it. */
interface Level {
  readonly name: string;
  readonly fields: Fields;
  readonly above: Level | null;
}

/** What the elements of a list, or the values of a mapping of the user's own keys, are called. */
const ELEMENT_NAMES: Readonly<Record<string, string>> = {
  tasks: 'a task',
  task: 'a task',
  parameters: 'a parameter',
  job_clusters: 'a job cluster',
  environments: 'an environment',
  libraries: 'a library',
  permissions: 'a permission',
  artifacts: 'artifact',
  variables: 'variable',
  targets: 'target',
  scripts: 'script',
  ...Object.fromEntries(RESOURCE_KINDS.map((kind) => [kind, kindOf(kind).noun])),
};

const resources = new Set<Schema>(Object.values(resourceSchemas));

export function findUnknownFields(root: MappingNode): Problem[] {
  return search(root, BundleFile, { name: 'the top level', above: null });
}

function search(node: Node, schema: Schema, at: { name: string; above: Level | null }): Problem[] {
  const shape = shapeOf(schema);
  if (shape.kind === 'list') {
    const name = ELEMENT_NAMES[at.name] ?? `an entry of ${at.name}`;
    const entries = node.kind === 'list' ? node.entries : [];
    return entries.flatMap((entry) => search(entry, shape.element, { name, above: at.above }));
  }
  if (node.kind !== 'mapping') return [];
  if (shape.kind === 'record') {
    const kind = ELEMENT_NAMES[at.name] ?? at.name;
    return [...node.entries].flatMap(([key, { value }]) =>
      search(value, shape.value, { name: `${kind} ${key}`, above: at.above }),
    );
  }
  if (shape.kind !== 'object') return [];
  const fields = fieldsOf(shape);
  // An object of which nothing is known may say anything.
  if (Object.keys(fields).length === 0) return [];
  const level = { name: at.name, fields, above: at.above };
  return [...node.entries].flatMap(([key, { keyAt, value }]) => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field !== undefined) {
      return isEmpty(value) ? [] : search(value, field, { name: nameOf(key, shape.fields), above: level });
    }
    return [warningAt(keyAt, `'${key}' is not known in ${at.name}`, cureOf(key, level))];
  });
}

function fieldsOf(shape: { schema: Schema; fields: Fields }): Fields {
  const own = resources.has(shape.schema) ? resourceFields : {};
  return { ...shape.fields, ...moreFieldsOf(shape.schema), ...own };
}

function nameOf(key: string, siblings: Fields): string {
  if (key === 'task') return 'a task';
  // A task has a section of this name too.
  return key === 'headrace' && 'task_key' in siblings ? 'headrace of a task' : key;
}

function cureOf(key: string, level: Level): string {
  const known = Object.keys(level.fields);
  if (level.above === null && key === 'environments') return "its present name is 'targets'";
  const place = findPlace(key, level);
  if (place !== null) return `it belongs ${place}`;
  const otherwise =
    level.name === 'resources'
      ? `kinds are ${known.filter((kind) => !OTHER_KINDS.some((other) => other === kind)).join(', ')}`
      : 'it is kept and has no effect here; take it out or correct its name';
  return suggest(key, known, otherwise);
}

/** A level that knows the field by exactly this name: one above, or that of the elements of a list here. */
function findPlace(key: string, level: Level): string | null {
  if (level.above !== null && Object.hasOwn(level.above.fields, key)) return `into ${level.above.name}`;
  for (const [name, field] of Object.entries(level.fields)) {
    const shape = shapeOf(field);
    if (shape.kind !== 'list') continue;
    const element = shapeOf(shape.element);
    if (element.kind === 'object' && Object.hasOwn(element.fields, key)) {
      return `into ${ELEMENT_NAMES[name] ?? `an entry of ${name}`}`;
    }
  }
  return null;
}
