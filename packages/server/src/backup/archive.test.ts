/** Archives come from elsewhere: whatever is in one, only the folder that it is unpacked into changes. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StartError } from '../start-error.ts';
import { unpackArchive } from './archive.ts';
import { copyFiles } from './copy-files.ts';

const python = path.resolve(import.meta.dirname, '../../../../.runtime/python/bin/python');

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-archive-'));
  fs.mkdirSync(path.join(folder, 'made'));
  fs.mkdirSync(path.join(folder, 'outside'));
  fs.writeFileSync(path.join(folder, 'outside/kept'), 'kept');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Python writes members under any name, which a tar of the system does not. */
function pack(members: readonly { name: string; text?: string; link?: string; hardLink?: string }[]): string {
  const file = path.join(folder, 'hostile.tar');
  const script = `
import io, json, sys, tarfile
with tarfile.open(sys.argv[1], "w") as archive:
    for member in json.loads(sys.argv[2]):
        entry = tarfile.TarInfo(member["name"])
        text = member.get("text", "").encode()
        if "link" in member or "hardLink" in member:
            entry.type = tarfile.SYMTYPE if "link" in member else tarfile.LNKTYPE
            entry.linkname = member.get("link") or member["hardLink"]
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
`;
  const { status, stderr } = spawnSync(python, ['-c', script, file, JSON.stringify(members)], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return file;
}

test.each([
  [
    'dots',
    [
      { name: '../outside/kept', text: 'changed' },
      { name: 'files/../../outside/new', text: 'x' },
    ],
  ],
  ['an absolute name', [{ name: '{folder}/outside/kept', text: 'changed' }]],
  [
    'a link to a folder, and a file below it',
    [
      { name: 'files/away', link: '../../../outside' },
      { name: 'files/away/kept', text: 'changed' },
    ],
  ],
  [
    'a link to a file, and that file again',
    [
      { name: 'files/kept', link: '{folder}/outside/kept' },
      { name: 'files/kept', text: 'changed' },
    ],
  ],
  ['a second name for a file', [{ name: 'files/kept', hardLink: '../../outside/kept' }]],
])('%s in an archive changes nothing outside, and no link gets into the copy', async (_what, members) => {
  const written = members.map((member) =>
    Object.fromEntries(Object.entries(member).map(([key, text]) => [key, text.replace('{folder}', folder)])),
  ) as { name: string }[];
  const target = path.join(folder, 'made/deep/state');

  const refusal = await unpackArchive(pack(written), target).catch((error: unknown) => error);
  await copyFiles(path.join(target, 'files'), path.join(folder, 'copy'), () => false);

  if (refusal !== undefined) expect(refusal).toBeInstanceOf(StartError);
  expect(fs.readdirSync(path.join(folder, 'outside'))).toEqual(['kept']);
  expect(fs.readFileSync(path.join(folder, 'outside/kept'), 'utf8')).toBe('kept');
  expect(fs.readdirSync(path.join(folder, 'made'))).toEqual(['deep']);
  expect(fs.readdirSync(path.join(folder, 'made/deep'))).toEqual(['state']);
  for (const entry of fs.readdirSync(path.join(folder, 'copy'), { withFileTypes: true, recursive: true })) {
    expect(entry.isSymbolicLink()).toBe(false);
    if (entry.isFile()) {
      expect(fs.readFileSync(path.join(entry.parentPath, entry.name), 'utf8')).not.toBe('kept');
    }
  }
});
