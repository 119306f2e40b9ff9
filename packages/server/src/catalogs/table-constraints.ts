/** Keys and CHECK constraints, which the Spark plug-in keeps as properties (TableConstraints.scala), as the API has them. */
import type { TextMap } from './rows.ts';

interface Key {
  readonly name: string;
  readonly child_columns: readonly string[];
}

export type TableConstraint =
  | { readonly primary_key_constraint: Key }
  | {
      readonly foreign_key_constraint: Key & {
        readonly parent_table: string;
        readonly parent_columns: readonly string[];
      };
    }
  | { readonly named_table_constraint: { readonly name: string } };

const keyPrefix = 'headrace.constraint.';
const checkPrefix = 'delta.constraints.';

/** By name; what is in other words than the plug-in's is left out. */
export function readConstraints(properties: TextMap): TableConstraint[] {
  return Object.entries(properties)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([property, text]) => {
      if (property.startsWith(checkPrefix))
        return [{ named_table_constraint: { name: property.slice(checkPrefix.length) } }];
      if (!property.startsWith(keyPrefix)) return [];
      const key = readKey(property.slice(keyPrefix.length), text);
      return key === null ? [] : [key];
    });
}

function readKey(name: string, text: string): TableConstraint | null {
  const [, columns, parent, parentColumns] =
    /^FOREIGN KEY \((.*?)\) REFERENCES (.*?) \((.*?)\)(?: |$)/s.exec(text) ?? [];
  if (columns !== undefined && parent !== undefined && parentColumns !== undefined) {
    const parent_table = readNames(parent).join('.');
    const named = { name, child_columns: readNames(columns) };
    return { foreign_key_constraint: { ...named, parent_table, parent_columns: readNames(parentColumns) } };
  }
  const [, primary] = /^PRIMARY KEY \((.*?)\)(?: |$)/s.exec(text) ?? [];
  return primary === undefined
    ? null
    : { primary_key_constraint: { name, child_columns: readNames(primary) } };
}

const readNames = (text: string): string[] =>
  [...text.matchAll(/`((?:[^`]|``)*)`|([^\s,.`]+)/g)].map(
    ([, quoted, plain]) => plain ?? quoted?.replaceAll('``', '`') ?? '',
  );
