// What a zod schema says of the fields below it, without parsing anything.

import type { z } from 'zod';

type Schema = z.core.$ZodType;

export type Shape =
  | { readonly kind: 'object'; readonly schema: Schema; readonly fields: Readonly<Record<string, Schema>> }
  | { readonly kind: 'list'; readonly element: Schema }
  | { readonly kind: 'record'; readonly value: Schema }
  | { readonly kind: 'other' };

export function shapeOf(schema: Schema): Shape {
  const inner = unwrap(schema);
  const { def } = (inner as z.core.$ZodTypes)._zod; // every schema of zod is one of its own types
  switch (def.type) {
    case 'object':
      return { kind: 'object', schema: inner, fields: def.shape };
    case 'array':
      return { kind: 'list', element: def.element };
    case 'record':
      return { kind: 'record', value: def.valueType };
    default:
      return { kind: 'other' };
  }
}

/** Without what only says whether the value may be missing, or how it is read. */
export function unwrap(schema: Schema): Schema {
  const { def } = (schema as z.core.$ZodTypes)._zod; // as above
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'catch':
    case 'nonoptional':
      return unwrap(def.innerType);
    case 'pipe':
      return unwrap(isTransform(def.in) ? def.out : def.in);
    case 'lazy':
      return unwrap(def.getter());
    default:
      return schema;
  }
}

function isTransform(schema: Schema): boolean {
  return (schema as z.core.$ZodTypes)._zod.def.type === 'transform';
}

/** The schema of a field; of a list, that of its elements. */
export function fieldOf(schema: Schema, name: string): Schema {
  const shape = shapeOf(schema);
  const found = shape.kind === 'object' ? shape.fields[name] : undefined;
  if (found === undefined) throw new Error(`the schema has no field ${name}`);
  const inner = shapeOf(found);
  return unwrap(inner.kind === 'list' ? inner.element : found);
}
