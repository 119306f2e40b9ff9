import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkBundle, loadBundle } from '../index.ts';
import { createProject } from './create-project.ts';
import { findTemplate, listTemplates } from './find-template.ts';

const folders: string[] = [];
const facts = {
  workspaceHost: 'http://127.0.0.1:8080',
  userName: 'ada@example.com',
  isServicePrincipal: false,
  defaultCatalog: 'dev',
};

afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

function makeFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-init-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

const schema = (properties: object) => ({
  'databricks_template_schema.json': JSON.stringify({ properties }),
});
const name = { type: 'string', default: 'shop', pattern: '^[a-z]+$', order: 1 };

function create(templateFolder: string, given = {}, outputFolder = makeFolder()) {
  return createProject({ templateFolder, outputFolder, facts, given, ask: undefined });
}

describe.each(await listTemplates())('the built-in template %s', (template) => {
  it('gives a bundle without an error', async () => {
    const output = makeFolder();
    const { folder } = await findTemplate(template, { from: '/', environment: {} });
    await create(folder, { project_name: 'shop' }, output);
    const loaded = await loadBundle(path.join(output, 'shop'));
    const { bundle, problems } = checkBundle(loaded, {
      facts: { host: 'http://h', userName: 'ada@example.com' },
    });
    const expected =
      template === 'pipelines' ? [expect.stringContaining('pipelines'), expect.anything()] : [];
    expect(problems.map(({ message }) => message)).toEqual(expected);
    expect(bundle?.jobs).toHaveLength(1);
  });
});

describe('a project from a template', () => {
  it('has rendered files, names and plain copies, without what was skipped', async () => {
    const template = makeFolder({
      ...schema({ name, wide: { type: 'boolean', default: false } }),
      'library/x.tmpl': '{{define "greet"}}hello {{.name}}{{end}}',
      'template/{{.name}}/a.txt.tmpl': '{{template "greet" .}} {{if not .wide}}{{skip "b"}}{{end}}',
      'template/{{.name}}/b/c.txt': 'wide',
      'template/plain.txt': '{{.name}} stays',
    });
    const output = makeFolder();
    const { files } = await create(template, {}, output);
    expect(files).toEqual(['plain.txt', 'shop/a.txt']);
    expect(fs.readFileSync(path.join(output, 'shop/a.txt'), 'utf8')).toBe('hello shop ');
    expect(fs.readFileSync(path.join(output, 'plain.txt'), 'utf8')).toBe('{{.name}} stays');
  });

  it('asks in order, leaves out what earlier answers settle, and takes Enter for the default', async () => {
    const template = makeFolder({
      ...schema({
        b: { type: 'string', default: '{{.a}}-b', order: 2 },
        c: {
          type: 'string',
          default: 'quiet',
          order: 3,
          skip_prompt_if: { properties: { a: { const: 'x' } } },
        },
        a: { type: 'string', order: 1, description: 'First' },
      }),
      'template/f.tmpl': '{{.a}} {{.b}} {{.c}}',
    });
    const asked: string[] = [];
    const output = makeFolder();
    await createProject({
      ...{ templateFolder: template, outputFolder: output, facts, given: {} },
      ask: async ({ name: question }) => {
        asked.push(question);
        return question === 'a' ? 'x' : '';
      },
    });
    expect(asked).toEqual(['a', 'b']);
    expect(fs.readFileSync(path.join(output, 'f'), 'utf8')).toBe('x x-b quiet');
  });

  it.each([
    [{ name: 'A' }, 'must match ^[a-z]+$'],
    [{ name: 3 }, "'name' must be a text, not 3"],
    [{ nme: 'a' }, 'does not ask for nme; it asks for name'],
  ])('refuses the answers %o', async (given, message) => {
    const template = makeFolder({ ...schema({ name }), 'template/f': '' });
    await expect(create(template, given)).rejects.toThrow(message);
  });

  it('matches no patterns and no answers that are too long', async () => {
    const template = (pattern: string) =>
      makeFolder({ ...schema({ p: { type: 'string', pattern } }), 'template/f': '' });
    await expect(create(template('a'.repeat(201)), { p: 'a' })).rejects.toThrow('properties.p.pattern');
    await expect(create(template('^a+$'), { p: 'a'.repeat(1_001) })).rejects.toThrow('at most 1000');
    expect((await create(template('^a+$'), { p: 'a'.repeat(1_000) })).files).toEqual(['f']);
  });

  it.each(['../out', '/etc/out', 'a/../../out', 'a\\b'])('never writes to %s', async (place) => {
    const template = makeFolder({ ...schema({ p: { type: 'string', default: place } }), 'template/f': '' });
    fs.renameSync(path.join(template, 'template/f'), path.join(template, 'template/{{.p}}'));
    const output = makeFolder();
    await expect(create(template, {}, output)).rejects.toThrow('no place in the project');
    expect(fs.readdirSync(output)).toEqual([]);
  });

  it('overwrites nothing, and then writes nothing at all', async () => {
    const template = makeFolder({ ...schema({}), 'template/a': 'new', 'template/b': 'new' });
    const output = makeFolder({ b: 'old' });
    await expect(create(template, {}, output)).rejects.toThrow('exists already');
    expect(fs.readdirSync(output)).toEqual(['b']);
    expect(fs.readFileSync(path.join(output, 'b'), 'utf8')).toBe('old');
  });

  it('does not follow links out of the template', async () => {
    const template = makeFolder({ ...schema({}), 'template/a': '' });
    fs.symlinkSync('/etc/hostname', path.join(template, 'template/stolen'));
    expect((await create(template)).files).toEqual(['a']);
  });

  it.each(['databricks_template_schema.json', 'template', 'library'])(
    'does not read a %s that is a link out of the template',
    async (name) => {
      const files = { ...schema({}), 'template/a': '', 'library/x.tmpl': '{{define "x"}}stolen{{end}}' };
      const template = makeFolder(files);
      const outside = makeFolder(files);
      fs.rmSync(path.join(template, name), { recursive: true });
      fs.symlinkSync(path.join(outside, name), path.join(template, name));
      const output = makeFolder();
      await expect(create(template, {}, output)).rejects.toThrow(`${name}:1:1: leads out of the template`);
      expect(fs.readdirSync(output)).toEqual([]);
    },
  );

  it.each(['..', '../../outside', 'link', 'link/deeper'])(
    'has its files in no template_dir such as %s',
    async (place) => {
      const around = makeFolder({
        'inner/template/databricks_template_schema.json': JSON.stringify({ template_dir: place }),
        'outside/deeper/a': '',
      });
      const template = path.join(around, 'inner/template');
      fs.symlinkSync(path.join(around, 'outside'), path.join(template, 'link'));
      await expect(create(template)).rejects.toThrow('leads out of the template');
    },
  );

  it('may have its files elsewhere in its repository, and none outside of that', async () => {
    const repository = makeFolder({
      'deep/databricks_template_schema.json': '{"template_dir": "../shared"}',
      'shared/a': '',
    });
    const named = (root: string) => findTemplate(root, { from: '/', environment: {}, subfolder: 'deep' });
    const found = await named(repository);
    const options = { outputFolder: makeFolder(), facts, given: {}, ask: undefined };
    const project = await createProject({
      ...options,
      templateFolder: found.folder,
      templateRoot: found.root,
    });
    expect(project.files).toEqual(['a']);
    const stranger = makeFolder();
    fs.symlinkSync(path.join(repository, 'deep'), path.join(stranger, 'deep'));
    const { folder, root } = await named(stranger);
    await expect(createProject({ ...options, templateFolder: folder, templateRoot: root })).rejects.toThrow(
      'leads out of the template',
    );
  });
});

describe('a template that is named', () => {
  const source = { from: '/nowhere', environment: process.env };

  it('may be a folder of a Git repository', async () => {
    const repository = makeFolder({ 'deep/databricks_template_schema.json': '{}', 'deep/template/a': '' });
    const { execFileSync } = await import('node:child_process');
    const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]);
    git('init', '-q', '-b', 'main');
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'a');
    const url = `file://${repository}`;
    const found = await findTemplate(url, { ...source, ref: 'main', subfolder: 'deep' });
    expect((await create(found.folder)).files).toEqual(['a']);
    await found.release();
    expect(fs.existsSync(found.folder)).toBe(false);
    await expect(findTemplate(url, { ...source, ref: 'nope' })).rejects.toThrow(/cannot clone .*nope/);
    await expect(findTemplate(url, { ...source, subfolder: '../..' })).rejects.toThrow('leads out');
  });

  it('that does not exist is told with those that do', async () => {
    await expect(findTemplate('default-cobol', source)).rejects.toThrow(/default-python, default-sql/);
  });
});
