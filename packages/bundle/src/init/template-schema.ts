// What a template asks its user: the file databricks_template_schema.json.

import { z } from 'zod';
import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt } from '../problem.ts';
import type { TemplateValue } from './template-functions.ts';
import { isTooLongToMatch, patternCharsMax, tooLongToMatch } from './template-pattern.ts';

export const SCHEMA_FILE = 'databricks_template_schema.json';

const Scalar = z.union([z.string(), z.number(), z.boolean()]);

const TemplateProperty = z.looseObject({
  type: z.enum(['string', 'integer', 'number', 'boolean']),
  /** A text may be a template itself, over the answers before it. */
  default: Scalar.optional(),
  description: z.string().optional(),
  order: z.number().optional(),
  enum: z.array(Scalar).min(1).optional(),
  pattern: z.string().max(patternCharsMax).optional(),
  pattern_match_failure_message: z.string().optional(),
  /** `{properties: {name: {const: value}}}`: not asked when the answers so far are so. */
  skip_prompt_if: z
    .looseObject({ properties: z.record(z.string(), z.looseObject({ const: Scalar })).optional() })
    .optional(),
});
export type TemplateProperty = z.output<typeof TemplateProperty>;

const TemplateSchema = z.looseObject({
  properties: z.record(z.string(), TemplateProperty).default({}),
  welcome_message: z.string().optional(),
  success_message: z.string().optional(),
  /** Where the files are, when not beside the schema. */
  template_dir: z.string().optional(),
});
export type TemplateSchema = z.output<typeof TemplateSchema>;

export type Answer = string | number | boolean;
export type Answers = Readonly<Record<string, Answer>>;

export interface Question {
  readonly name: string;
  readonly text: string;
  readonly property: TemplateProperty;
  readonly suggested: Answer | undefined;
}

export interface AnswerSources {
  /** From a file; counts before anything else. */
  readonly given: Readonly<Record<string, unknown>>;
  /** undefined where nobody can be asked: then the default counts. */
  readonly ask: ((question: Question) => Promise<string>) | undefined;
  /** Renders a default or a description. */
  readonly render: (text: string, answers: Readonly<Record<string, TemplateValue>>) => string;
}

export function parseTemplateSchema(text: string, file: string): TemplateSchema {
  const at = { file, line: 1, column: 1 };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new BundleError([errorAt(at, `is no JSON: ${cause instanceof Error ? cause.message : ''}`)], {
      cause,
    });
  }
  const parsed = TemplateSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new BundleError(
    parsed.error.issues.map((issue) => errorAt(at, `${issue.path.join('.')}: ${issue.message}`)),
  );
}

/** One answer for each property, in their order. Throws BundleError when a given one does not fit. */
export async function collectAnswers(schema: TemplateSchema, sources: AnswerSources): Promise<Answers> {
  const unknown = Object.keys(sources.given).filter((name) => !Object.hasOwn(schema.properties, name));
  if (unknown.length > 0) {
    const known = Object.keys(schema.properties).join(', ') || 'nothing';
    throw refuse(`the template does not ask for ${unknown.join(', ')}; it asks for ${known}`);
  }
  const answers: Record<string, Answer> = {};
  const ordered = Object.entries(schema.properties).sort(
    ([, a], [, b]) => (a.order ?? Number.MAX_SAFE_INTEGER) - (b.order ?? Number.MAX_SAFE_INTEGER),
  );
  for (const [name, property] of ordered)
    answers[name] = await collectAnswer(name, property, { answers, ...sources });
  return answers;
}

async function collectAnswer(
  name: string,
  property: TemplateProperty,
  { answers, given, ask, render }: AnswerSources & { readonly answers: Answers },
): Promise<Answer> {
  const suggested =
    typeof property.default === 'string' ? render(property.default, answers) : property.default;
  if (Object.hasOwn(given, name)) return checkAnswer(name, property, given[name]);
  if (ask === undefined || isSkipped(property, answers)) {
    if (suggested !== undefined) return checkAnswer(name, property, suggested);
    throw refuse(`'${name}' has no default and nobody can be asked; give it in --config-file`);
  }
  const text = render(property.description ?? name, answers);
  const typed = await ask({ name, text, property, suggested });
  return checkAnswer(name, property, typed === '' && suggested !== undefined ? suggested : typed);
}

function isSkipped({ skip_prompt_if }: TemplateProperty, answers: Answers): boolean {
  const conditions = Object.entries(skip_prompt_if?.properties ?? {});
  return conditions.length > 0 && conditions.every(([name, { const: value }]) => answers[name] === value);
}

/** Of the property's type; numbers and booleans may be written as texts. */
export function checkAnswer(name: string, property: TemplateProperty, given: unknown): Answer {
  const value = toType(property.type, given);
  if (value === null)
    throw refuse(`'${name}' must be ${describeType(property.type)}, not ${JSON.stringify(given)}`);
  if (property.enum !== undefined && !property.enum.includes(value))
    throw refuse(`'${name}' must be one of ${property.enum.join(', ')}, not ${String(value)}`);
  if (property.pattern !== undefined && isTooLongToMatch(String(value)))
    throw refuse(`'${name}': ${tooLongToMatch}`);
  if (property.pattern !== undefined && !new RegExp(property.pattern, 'u').test(String(value)))
    throw refuse(`'${name}': ${property.pattern_match_failure_message ?? `must match ${property.pattern}`}`);
  return value;
}

function toType(type: TemplateProperty['type'], given: unknown): Answer | null {
  if (type === 'string') return typeof given === 'string' ? given : null;
  if (type === 'boolean') {
    if (typeof given === 'boolean') return given;
    const text = String(given).toLowerCase();
    if (['true', 'yes', 'y'].includes(text)) return true;
    return ['false', 'no', 'n'].includes(text) ? false : null;
  }
  const value = typeof given === 'number' ? given : Number(String(given).trim() || Number.NaN);
  if (!Number.isFinite(value)) return null;
  return type === 'integer' && !Number.isInteger(value) ? null : value;
}

function describeType(type: TemplateProperty['type']): string {
  if (type === 'boolean') return 'yes or no';
  return type === 'integer' ? 'a whole number' : `a ${type === 'string' ? 'text' : type}`;
}

function refuse(message: string): BundleError {
  return new BundleError([errorAt({ file: SCHEMA_FILE, line: 1, column: 1 }, message)]);
}
