// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { aBundleFolder, FACTS, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import { isOpenReference, pendingResources } from './interpolate.ts';
import type { ResolveInputs } from './resolve-bundle.ts';

async function described(text: string, rest = '', inputs: Partial<ResolveInputs> = {}) {
  const yaml = `${jobYaml(`description: '${text}'`)}${rest}`;
  await using folder = await aBundleFolder({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });
  const { bundle, findings } = await resolve(folder, inputs);
  return { description: bundle.jobs[0]?.settings.description, findings };
}

const GIT = { branch: 'main', commit: 'abc', originUrl: 'https://git.example/shop.git' };
const MORE = `  schemas: {raw: {name: raw, catalog_name: main}}
  volumes: {in: {name: in, catalog_name: main, schema_name: "\${resources.schemas.raw.name}"}}
variables:
  sizes: {type: complex, default: {small: {workers: [1, 2]}}}
  env: {default: "\${bundle.target}"}
targets: {dev: {}}
`;

test.each([
  ['${bundle.environment} ${bundle.target} ${bundle.name}', 'dev dev shop'],
  [
    '${bundle.git.branch} ${bundle.git.commit} ${bundle.git.origin_url}',
    'main abc https://git.example/shop.git',
  ],
  [
    '${workspace.current_user.short_name} ${workspace.current_user.userName}',
    'jane_doe jane.doe@example.com',
  ],
  ['${workspace.current_user.domain_friendly_name}', 'jane-doe'],
  ['${workspace.current_user.displayName}', 'Jane Doe'],
  ['${workspace.root_path}', '/Workspace/Users/jane.doe@example.com/.bundle/shop/dev'],
  ['${workspace.host}', 'http://127.0.0.1:8080'],
  ['${var.sizes.small.workers[1]} of ${var.env}', '2 of dev'],
  ['${resources.schemas.raw.catalog_name}.${resources.schemas.raw.name}', 'main.raw'],
  [
    '${resources.schemas.raw.id} ${resources.jobs.daily.url}',
    '${resources.schemas.raw.id} ${resources.jobs.daily.url}',
  ],
  ['${resources.volumes.in.volume_path}', '${resources.volumes.in.volume_path}'],
  ['$${var.env} ${HOME} ${{job.id}} {{job.id}}', '$dev ${HOME} ${{job.id}} {{job.id}}'],
])('%s is %s', async (text, expected) => {
  const facts = { ...FACTS, currentUser: { displayName: 'Jane Doe' } };

  const { description, findings } = await described(text, MORE, { git: GIT, facts });

  expect(
    findings.filter((finding) => finding.startsWith('error') && !finding.includes('its own id')),
  ).toEqual([]);
  expect(description).toBe(expected);
});

test('a fact of Git that nobody knows is an empty text and a warning', async () => {
  const { description, findings } = await described('[${bundle.git.commit}]');

  expect(description).toBe('[]');
  expect(findings).toEqual([
    expect.stringContaining('warning: databricks.yml:10:20: ${bundle.git.commit} is not known'),
  ]);
});

test('a field that no deployment can tell is refused', async () => {
  const { findings } = await described('${resources.schemas.raw.nmae}', MORE);

  expect(findings).toEqual([expect.stringMatching(/^error: .*resources\.schemas\.raw has no field 'nmae'/)]);
});

test.each(['${ var.env }', '${var.}', 'an ${var.env without its end'])(
  '%s is said to be none',
  async (text) => {
    const { description, findings } = await described(text, MORE);

    expect(description).toBe(text);
    expect(findings).toEqual([expect.stringContaining('looks like a reference but is none')]);
  },
);

test('variables that double with each link are stopped before they fill the memory', async () => {
  const links = Array.from({ length: 25 }, (_, link) => [
    `  t${link + 1}: {default: "\${var.t${link}}\${var.t${link}}"}`,
    `  l${link + 1}: {type: complex, default: ["\${var.l${link}}", "\${var.l${link}}"]}`,
  ]);
  const rest = `variables:\n  t0: {default: xxxx}\n  l0: {type: complex, default: [x]}\n${links.flat().join('\n')}\n`;

  const text = await described('${var.t25}', rest);
  const list = await described('${var.l25}', rest);

  expect(text.findings.join()).toContain('longer than 1048576 characters once its references are replaced');
  expect(list.findings.join()).toContain('more than 500000 values once its references are replaced');
});

test('many variables that all refer to each other are one finding for each circle, found at once', async () => {
  const all = Array.from({ length: 20 }, (_, index) => `\${var.v${index}}`).join('');
  const declared = Array.from({ length: 20 }, (_, index) => `  v${index}: {default: "${all}"}`);

  const { findings } = await described('${var.v0}', `variables:\n${declared.join('\n')}\n`);

  expect(findings.length).toBeGreaterThan(0);
  expect(findings.every((finding) => finding.includes('these references lead in a circle'))).toBe(true);
});

test('a long chain of references is stopped', async () => {
  const links = Array.from({ length: 2_000 }, (_, link) => `  v${link + 1}: {default: "\${var.v${link}}"}`);

  const { findings } = await described(
    '${var.v2000}',
    `variables:\n  v0: {default: x}\n${links.join('\n')}\n`,
  );

  expect(findings).toEqual([expect.stringContaining('more than 30 references lead from one to the next')]);
});

test('what a text waits for is told with its field', () => {
  expect(
    pendingResources('a ${resources.jobs.x.id} ${resources.sql_warehouses.w.jdbc_url} ${var.x}'),
  ).toEqual([
    { kind: 'jobs', key: 'x', field: 'id', match: '${resources.jobs.x.id}' },
    { kind: 'sql_warehouses', key: 'w', field: 'jdbc_url', match: '${resources.sql_warehouses.w.jdbc_url}' },
  ]);
  expect(
    ['${var.x}', '${resources.jobs.x.id}', 'x ${var.x}', '${HOME}', '${var.x}${var.x}'].map(isOpenReference),
  ).toEqual([true, true, false, false, false]);
});
