// What the file format lets through and a schema of the API does not say: references instead of any value, empty
// fields, and numbers where the API wants texts.

export type Json = Record<string, unknown>;

/** A text with a reference in it may become anything. */
const REFERENCE = '\\$\\{[^}]+\\}';

export function lenient(schema: Json): Json {
  return relax(schema, { isText: false }) as Json;
}

/** @param isText numbers are written as texts here, so they may stand as they are. */
function relax(schema: unknown, { isText }: { isText: boolean }): unknown {
  if (!isJson(schema)) return schema;
  const json = withRelaxedParts(schema);
  if (Array.isArray(json.enum) || 'const' in json) return orReference(json);
  if ('$ref' in json) return named(json);
  switch (json.type) {
    case 'string':
      if (typeof json.pattern === 'string') return orReference(json);
      return { ...json, type: isText ? ['string', 'number', 'boolean', 'null'] : ['string', 'null'] };
    case 'integer':
    case 'number':
      return { ...json, type: [json.type, 'string', 'null'], pattern: `^[+-]?\\d+$|${REFERENCE}` };
    case 'boolean':
      return { ...json, type: ['boolean', 'string', 'null'], pattern: `^([Tt]rue|[Ff]alse)$|${REFERENCE}` };
    case 'array':
    case 'object':
      // Keywords for lists and mappings say nothing of texts, and the pattern only of these.
      return { ...json, type: [json.type, 'string', 'null'], pattern: REFERENCE };
    default:
      return json;
  }
}

function withRelaxedParts(schema: Json): Json {
  const json = { ...schema };
  for (const key of ['properties', 'definitions']) {
    const parts = json[key];
    if (!isJson(parts)) continue;
    json[key] = Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [name, relax(part, { isText: isTextField(name) })]),
    );
  }
  for (const key of ['additionalProperties', 'items']) json[key] = relax(json[key], { isText: true });
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const parts = json[key];
    if (Array.isArray(parts)) json[key] = parts.map((part) => relax(part, { isText: false }));
  }
  // The names of a mapping are the user's own.
  delete json.propertyNames;
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));
}

/** Sides of a condition, and defaults of parameters: texts that people write as numbers. */
function isTextField(name: string): boolean {
  return name === 'left' || name === 'right' || name === 'default' || name === 'outcome';
}

/** What stands under a name lets references through itself. Beside `$ref`, draft 7 sees nothing. */
function named({ $ref, ...rest }: Json): Json {
  return Object.keys(rest).length === 0 ? { $ref } : { ...rest, allOf: [{ $ref }] };
}

function orReference(json: Json): Json {
  const { description, ...rest } = json;
  const isBoolean = Array.isArray(rest.enum) && rest.enum.includes('true');
  const others = isBoolean ? [{ type: 'boolean' }] : [];
  return {
    ...(description === undefined ? {} : { description }),
    anyOf: [rest, { type: 'string', pattern: REFERENCE }, ...others, { type: 'null' }],
  };
}

/** Nothing is required in it, nor in what it names. */
export function withoutRequired(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRequired);
  if (!isJson(schema)) return schema;
  const entries = Object.entries(schema).filter(
    ([key, value]) => key !== 'required' || !Array.isArray(value),
  );
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const isName = key === '$ref' && typeof value === 'string';
      return [key, isName ? value.replace(/([^/]+)$/, 'Partial$1') : withoutRequired(value)];
    }),
  );
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
