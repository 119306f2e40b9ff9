/** A schema as Delta's log has it, in Spark's own JSON, as the columns of the API: the same as the plug-in makes of it. */
import type { ColumnInfo } from '@headrace/api';
import { z } from 'zod';

/** A name, or a document with a type of its own; deeper ones are read when they are met. */
const TypeName = z.union([z.string(), z.looseObject({ type: z.string() })]);
type TypeName = z.infer<typeof TypeName>;

export const LoggedField = z.looseObject({
  name: z.string(),
  type: TypeName,
  nullable: z.boolean(),
  metadata: z.record(z.string(), z.unknown()).default({}),
});
export type LoggedField = z.infer<typeof LoggedField>;

const ArrayOf = z.object({ type: z.literal('array'), elementType: TypeName });
const MapOf = z.object({ type: z.literal('map'), keyType: TypeName, valueType: TypeName });
const StructOf = z.object({ type: z.literal('struct'), fields: z.array(LoggedField) });

export function toColumns(fields: readonly LoggedField[], partitionColumns: readonly string[]): ColumnInfo[] {
  const partitions = partitionColumns.map((name) => name.toLowerCase());
  return fields.map((field, position) => {
    const { name, type, nullable, metadata } = field;
    const partition = partitions.indexOf(name.toLowerCase());
    const decimal = /^decimal\((\d+),\s*(-?\d+)\)$/.exec(typeof type === 'string' ? type : '');
    return {
      ...{ name, type_text: toText(type), type_name: toName(type), type_json: JSON.stringify(field) },
      ...{ position, nullable },
      ...(typeof metadata.comment === 'string' && { comment: metadata.comment }),
      ...(partition >= 0 && { partition_index: partition }),
      ...(decimal && { type_precision: Number(decimal[1]), type_scale: Number(decimal[2]) }),
    };
  });
}

/** What SQL calls otherwise than Spark's JSON. */
const texts: Readonly<Record<string, string>> = {
  byte: 'tinyint',
  short: 'smallint',
  integer: 'int',
  long: 'bigint',
};

function toText(type: TypeName): string {
  if (typeof type === 'string') return texts[type] ?? type;
  switch (type.type) {
    case 'array':
      return `array<${toText(ArrayOf.parse(type).elementType)}>`;
    case 'map': {
      const { keyType, valueType } = MapOf.parse(type);
      return `map<${toText(keyType)},${toText(valueType)}>`;
    }
    case 'struct': {
      const fields = StructOf.parse(type).fields.map((field) => `${field.name}:${toText(field.type)}`);
      return `struct<${fields.join(',')}>`;
    }
    default:
      return type.type;
  }
}

/** Names of the API that are not the type's own in capitals. */
const names: Readonly<Record<string, string>> = { integer: 'INT', void: 'NULL' };
const plainNames = new Set(
  'byte short long float double boolean binary date timestamp timestamp_ntz variant string array map struct'.split(
    ' ',
  ),
);

function toName(type: TypeName): string {
  const root = (typeof type === 'string' ? type : type.type).replace(/[ (].*$/, '');
  if (plainNames.has(root)) return root.toUpperCase();
  if (root === 'decimal' || root === 'interval' || root === 'char') return root.toUpperCase();
  return names[root] ?? (root === 'varchar' ? 'STRING' : 'USER_DEFINED_TYPE');
}
