// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildBundleJsonSchema } from './bundle-json-schema.ts';
import type { Json } from './relax-json-schema.ts';

const repository = path.resolve(import.meta.dirname, '../../../..');
const validate = new Ajv({ strict: false, allErrors: true }).compile(buildBundleJsonSchema());

/** What an editor underlines, as `/path what`. */
function complaintsOf(text: string): string[] {
  validate(parse(text, { merge: true }));
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message} ${params.additionalProperty ?? ''}`.trim(),
  );
}

const bundles = globSync('examples/*/{databricks.yml,resources/**/*.yml}', { cwd: repository });

test.each(bundles)('%s is accepted whole', (file) => {
  expect(complaintsOf(readFileSync(path.resolve(repository, file), 'utf8'))).toEqual([]);
});

const job = (fields: string) => `resources: {jobs: {daily: {${fields}}}}`;

test.each([
  ['a reference in place of a number', job('max_concurrent_runs: "${var.runs}"')],
  ['a reference in place of a list', job('tasks: "${var.tasks}"')],
  ['a reference in place of a mapping', job('schedule: "${var.schedule}"')],
  ['a reference in place of one of some words', job('edit_mode: "${var.mode}"')],
  ['a reference inside a key', job('tasks: [{task_key: "${bundle.target}-load"}]')],
  ['an empty field', job('schedule: , tags: , tasks: ')],
  ['a target without fields', 'targets: {dev: }'],
  ['numbers where texts are sent', job('tags: {cores: 8}, parameters: [{name: n, default: 1}]')],
  ['a kind that is not supported here', 'resources: {dashboards: {sales: {anything: [1]}}}'],
  [
    'a target that gives a task in part',
    'targets: {dev: {resources: {jobs: {daily: {tasks: [{task_key: a, notebook_task: {source: GIT}}]}}}}}',
  ],
])('%s is accepted', (_, text) => {
  expect(complaintsOf(text)).toEqual([]);
});

test.each([
  [
    'a text where a number is wanted',
    job('max_concurrent_runs: many'),
    '/resources/jobs/daily/max_concurrent_runs',
  ],
  ['a field that nobody knows', job('desciption: x'), 'additional properties desciption'],
  ['a word that is none of those', job('edit_mode: CLOSED'), '/resources/jobs/daily/edit_mode'],
  ['a key with a space', job('tasks: [{task_key: a b}]'), '/resources/jobs/daily/tasks/0/task_key'],
  ['a mode that does not exist', 'targets: {dev: {mode: test}}', '/targets/dev/mode'],
  ['a list for a mapping', 'variables: [a, b]', '/variables'],
  ['a task without a key', job('tasks: [{description: x}]'), "must have required property 'task_key'"],
  ['a section that is misspelt', 'artefacts: {}', 'artefacts'],
  ['a plain text for a list', 'sync: {exclude: docs}', '/sync/exclude'],
])('%s is refused', (_, text, expected) => {
  expect(complaintsOf(text).join('\n')).toContain(expected);
});

const corpus = path.join(repository, 'packages/bundle/test/broken');
const broken = globSync('*/databricks.yml', { cwd: corpus }).map((file) => path.dirname(file));
const complaintsOfBroken = (name: string) =>
  complaintsOf(readFileSync(path.join(corpus, name, 'databricks.yml'), 'utf8'));

test.each(broken.filter((name) => /^(misspelt|text-for|number-|list-for|word-that|wrong-types)/.test(name)))(
  'what validate says of types and fields in %s, an editor says too',
  (name) => {
    expect(complaintsOfBroken(name)).not.toEqual([]);
  },
);

test.each(
  broken
    .filter((name) => /(circle|schedule|reference|zone|branch|path|twice|missing-)/.test(name))
    .filter((name) => !/field|^misspelt|^duplicate|workspace|unknown-branch/.test(name)),
)('what is said of %s takes more than one place, and an editor has nothing to say', (name) => {
  expect(complaintsOfBroken(name)).toEqual([]);
});

test('an editor underlines the place, not all that is around it', () => {
  expect(complaintsOf(job('tasks: [{task_key: a, max_retrys: 1}]'))).toEqual([
    '/resources/jobs/daily/tasks/0 must NOT have additional properties max_retrys',
  ]);
});

/** Every field below a name, with whether it says what it is for. */
function fieldsOf(definition: unknown): [string, boolean][] {
  const { properties } = definition as { properties: Record<string, Json> };
  return Object.entries(properties).map(([name, field]) => [name, typeof field.description === 'string']);
}

test('every section, and every field of a job and a task, says what it is for', () => {
  const schema = buildBundleJsonSchema();
  const definitions = schema.definitions as Record<string, Json>;
  const described = [schema, definitions.Job, definitions.Task, definitions.Resources].flatMap(fieldsOf);

  expect(described.length).toBeGreaterThan(90);
  expect(described.filter(([, isDescribed]) => !isDescribed)).toEqual([]);
});
