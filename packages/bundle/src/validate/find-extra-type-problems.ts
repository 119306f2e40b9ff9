// Wrong types in fields that the API keeps without looking at them. They do no harm here, and are refused elsewhere: a
// warning.

import type { z } from 'zod';
import { entriesAt, isEmpty, listAt, type Node, toPlain } from '../nodes.ts';
import type { Problem } from '../problem.ts';
import { moreFieldsOf } from '../schema/more-fields.ts';
import { shapeOf } from '../schema/walk-schema.ts';
import { findTypeProblems } from './find-type-problems.ts';

export function findExtraTypeProblems(node: Node, schema: z.core.$ZodType, owner: string): Problem[] {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'list':
      return listAt(node).flatMap((entry) => findExtraTypeProblems(entry, shape.element, owner));
    case 'record':
      return entriesAt(node).flatMap(([, { value }]) => findExtraTypeProblems(value, shape.value, owner));
    case 'object': {
      const extra = moreFieldsOf(shape.schema);
      return entriesAt(node).flatMap(([name, { value }]) => {
        if (isEmpty(value)) return [];
        const field = Object.hasOwn(extra, name) ? extra[name] : undefined;
        if (field !== undefined) return check(value, field, `${owner}: ${name}`);
        const known = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
        return known === undefined ? [] : findExtraTypeProblems(value, known, owner);
      });
    }
    default:
      return [];
  }
}

function check(node: Node, field: z.ZodType, owner: string): Problem[] {
  const values = toPlain(node);
  return findTypeProblems(field, { node, values, owner }).map((problem) => ({
    ...problem,
    severity: 'warning' as const,
  }));
}
