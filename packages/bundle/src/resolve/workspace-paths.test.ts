// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { isBelow } from '../artifacts/artifact-files.ts';
import { loadBundle } from '../load/load-bundle.ts';
import { aBundleFolder, FACTS, findingsOf, jobYaml, NOTEBOOK } from '../testing/bundle-folder.ts';
import { resolveBundle } from './resolve-bundle.ts';
import { toShortName } from './workspace-paths.ts';

/** As if the folder of the bundle were one of the workspace. */
async function resolvedIn(folder: string, targets: string) {
  await using here = await aBundleFolder({
    'databricks.yml': `${jobYaml()}${targets}\n`,
    'load.py': NOTEBOOK,
  });
  const resolved = resolveBundle({ ...(await loadBundle(here.folder)), folder }, { facts: FACTS });
  if (!('root' in resolved)) throw new Error('refused');
  const [task] = (resolved.jobs[0]?.settings.tasks ?? []) as { notebook_task: { notebook_path: string } }[];
  return {
    path: task?.notebook_task.notebook_path,
    files: resolved.files.length,
    problems: resolved.problems,
  };
}

const SHOP = '/Workspace/Users/jane.doe@example.com/shop';
const FILES = '/Workspace/Users/jane.doe@example.com/.bundle/shop/dev/files';

test.each([
  ['development', 'targets: {dev: {mode: development}}', `${SHOP}/load`, 0],
  ['no mode', 'targets: {dev: {}}', `${FILES}/load`, 2],
  ['a preset', 'targets: {dev: {presets: {source_linked_deployment: true}}}', `${SHOP}/load`, 0],
  [
    'development whose preset says no',
    'targets: {dev: {mode: development, presets: {source_linked_deployment: false}}}',
    `${FILES}/load`,
    2,
  ],
])(
  'a bundle in the workspace, with %s: files run from where they are, or are sent',
  async (_, targets, path, files) => {
    expect(await resolvedIn(SHOP, targets)).toMatchObject({ path, files, problems: [] });
  },
);

test('a folder that is not in the workspace cannot be linked', async () => {
  expect(
    await findingsOf({
      'databricks.yml': `${jobYaml()}presets: {source_linked_deployment: true}\n`,
      'load.py': NOTEBOOK,
    }),
  ).toEqual([
    expect.stringContaining('warning: databricks.yml:11:37: source_linked_deployment has no effect'),
  ]);
});

test.each([
  ['x/y', 'is no place in the workspace'],
  ['/Workspace/Shared/../Users', "write the path without '..'"],
])('workspace.root_path: %s is refused', async (path, reason) => {
  const findings = await findingsOf({
    'databricks.yml': `bundle: {name: a}\nworkspace: {root_path: ${path}}\n`,
  });

  expect(findings.join()).toContain(reason);
});

test.each([
  ['root_path', '/'],
  ['root_path', '/Workspace'],
  ['root_path', '/Workspace/Shared'],
  ['root_path', '/Workspace//Shared/'],
  ['root_path', '/Users'],
  ['file_path', '/Repos'],
  ['state_path', '"~"'],
  ['artifact_path', '/Workspace/Users/somebody@example.com'],
])('workspace.%s: %s is refused before anything is deployed there', async (key, path) => {
  const findings = await findingsOf({
    'databricks.yml': `${jobYaml()}workspace: {${key}: ${path}}\n`,
    'load.py': NOTEBOOK,
  });

  expect(findings).toEqual([
    expect.stringMatching(new RegExp(`^error: .*workspace\\.${key}: .* holds more than this deployment`)),
  ]);
});

test.each(['/Workspace/Shared/shop', '/Users/jane.doe@example.com/shop', '/shop', '/Sharedx'])(
  'workspace.root_path: %s is a folder of its own',
  async (path) => {
    expect(
      await findingsOf({
        'databricks.yml': `${jobYaml()}workspace: {root_path: ${path}}\n`,
        'load.py': NOTEBOOK,
      }),
    ).toEqual([]);
  },
);

test('a bundle that lies in a home, without a folder of its own, may run its files from there', async () => {
  const home = '/Workspace/Users/jane.doe@example.com';

  expect(await resolvedIn(home, 'targets: {dev: {mode: development}}')).toMatchObject({
    path: `${home}/load`,
    problems: [],
  });
});

test.each([
  ['jane.doe@example.com', 'jane_doe'],
  ['Jane-Marie.O’Neil+x@example.com', 'jane_marie_o_neil_x'],
  ['robot', 'robot'],
])('the short name of %s is %s', (userName, shortName) => {
  expect(toShortName(userName)).toBe(shortName);
});

test('what lies outside of the bundle folder is no part of a project at its top', () => {
  expect(isBelow('../common/x.py', '')).toBe(false);
  expect(isBelow('src/x.py', '')).toBe(true);
});
