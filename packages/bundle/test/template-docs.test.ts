// The template of docs/bundles/templates.md: blocks marked `file=` are its files, those marked `gives=` what it makes.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createProject } from '../src/init/create-project.ts';
import { aBundleFolder } from '../src/testing/bundle-folder.ts';

const page = path.resolve(import.meta.dirname, '../../../docs/bundles/templates.md');
const facts = {
  ...{ workspaceHost: 'http://h', userName: 'ada@example.com' },
  ...{ isServicePrincipal: false, defaultCatalog: 'dev' },
};

function blocksOf(mark: string): Record<string, string> {
  const text = readFileSync(page, 'utf8');
  const blocks = text.matchAll(new RegExp(`^\`\`\`\\w+ ${mark}=([^\\n]+)\\n(.*?)^\`\`\`$`, 'gms'));
  return Object.fromEntries([...blocks].map(([, name = '', content = '']) => [name, content]));
}

test('the template of the page gives what the page says', async () => {
  await using template = await aBundleFolder(blocksOf('file'));
  await using output = await aBundleFolder({});
  const gives = blocksOf('gives');

  const { files } = await createProject({
    ...{ templateFolder: template.folder, outputFolder: output.folder, facts },
    ...{ given: { has_schedule: false }, ask: undefined },
  });

  expect(files).toEqual(['shop/check.py', 'shop/databricks.yml', 'shop/load.py']);
  expect(Object.keys(gives)).toEqual(['shop/databricks.yml']);
  for (const [name, content] of Object.entries(gives))
    expect(readFileSync(path.join(output.folder, name), 'utf8')).toBe(content);
});
