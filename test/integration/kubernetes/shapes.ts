/** Holds documents against the typed models of the official client, which are made from Kubernetes' own OpenAPI. */
import * as models from '@kubernetes/client-node';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
};

/** Every field that the model does not have, or has otherwise; empty where the document fits. */
export function findShapeProblems(value: unknown, type: string, path = ''): string[] {
  const here = path === '' ? type : path;
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${here} is no list`];
    return value.flatMap((entry, index) => findShapeProblems(entry, list, `${path}[${index}]`));
  }
  const ofMap = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (ofMap !== undefined) {
    if (!isRecord(value)) return [`${here} is no object`];
    return Object.entries(value).flatMap(([key, entry]) => findShapeProblems(entry, ofMap, `${path}.${key}`));
  }
  const scalar = scalars[type];
  if (scalar !== undefined) return typeof value === scalar ? [] : [`${here} is no ${scalar}`];
  const attributes = attributesOf(type);
  // A date, a number or text, free JSON.
  if (attributes === null) return [];
  if (!isRecord(value)) return [`${here} is no object`];
  return Object.entries(value).flatMap(([key, entry]) => {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    const place = `${path}${path === '' ? '' : '.'}${key}`;
    return attribute === undefined
      ? [`${place} is unknown`]
      : findShapeProblems(entry, attribute.type, place);
  });
}

function attributesOf(type: string): readonly Attribute[] | null {
  const model = (models as unknown as Record<string, { getAttributeTypeMap?: () => readonly Attribute[] }>)[
    type
  ];
  return model?.getAttributeTypeMap?.() ?? null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
