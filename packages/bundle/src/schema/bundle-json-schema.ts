// The file format as JSON Schema, for editors: made of the same schemas that `validate` uses. Draft 7, because the
// language servers of editors know no newer one whole.

import {
  ForEachTask,
  JobCluster,
  JobSettings,
  LibrarySpec,
  NestedTask,
  NewCluster,
  Task,
} from '@headrace/api';
import { z } from 'zod';
import { BundleFile, Resources, resourceFields, resourceSchemas } from './bundle-file.ts';
import { describeField } from './descriptions.ts';
import { moreFieldsOf } from './more-fields.ts';
import { type Json, lenient, withoutRequired } from './relax-json-schema.ts';
import { unwrap } from './walk-schema.ts';

/** Schemas that stand under their own name; all others stand where they are used. */
const named = {
  ForEachTask,
  Job: JobSettings,
  JobCluster,
  Library: LibrarySpec,
  NestedTask,
  NewCluster,
  Query: resourceSchemas.queries,
  Resources,
  Task,
};

export function buildBundleJsonSchema(): Json {
  const { $schema: _, ...schema } = toJsonSchema(BundleFile);
  const definitions = (schema.definitions ?? {}) as Json; // written by zod as an object
  const { properties, partials } = withPartialTargets(schema.properties as Json, definitions); // as above
  return lenient({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Bundle',
    description: 'The configuration of a bundle: databricks.yml and the files that it includes.',
    ...schema,
    properties,
    definitions: { ...definitions, ...partials },
  });
}

function toJsonSchema(schema: z.core.$ZodType): Json {
  const names = z.registry<{ id: string }>();
  for (const [id, one] of Object.entries(named)) names.add(one, { id });
  return z.toJSONSchema(schema as z.ZodType, {
    target: 'draft-7',
    io: 'output',
    unrepresentable: 'any',
    metadata: names,
    override: ({ zodSchema, jsonSchema }) => complete(zodSchema, jsonSchema as Json),
  }) as Json;
}

const resources = new Set<z.core.$ZodType>(Object.values(resourceSchemas));

/** What zod does not write: descriptions, the fields that only we know of, and that there are no others. */
function complete(schema: z.core.$ZodType, json: Json): void {
  const description = z.globalRegistry.get(schema)?.description;
  if (description !== undefined) json.description = description;
  delete json.id;
  if (schema._zod.def.type !== 'object' || typeof json.properties !== 'object') return;
  const own = resources.has(unwrap(schema)) ? resourceFields : {};
  const properties = json.properties as Record<string, Json>; // written by zod as an object of schemas
  const more: Readonly<Record<string, z.core.$ZodType>> = { ...moreFieldsOf(schema), ...own };
  for (const [name, field] of Object.entries(more)) {
    const { $schema: _, definitions: __, ...added } = toJsonSchema(field);
    properties[name] ??= added;
  }
  if (Object.keys(properties).length === 0) return;
  for (const [name, field] of Object.entries(properties)) {
    const text = describeField(name);
    if (text !== null && field.description === undefined) field.description = text;
  }
  json.additionalProperties = false;
}

/** A target gives only what differs: in its resources nothing is required. */
function withPartialTargets(properties: Json, definitions: Json): { properties: Json; partials: Json } {
  const partials = Object.fromEntries(
    Object.entries(definitions).map(([name, schema]) => [`Partial${name}`, withoutRequired(schema)]),
  );
  return { properties: { ...properties, targets: withoutRequired(properties.targets) }, partials };
}
