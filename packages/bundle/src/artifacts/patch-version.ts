// `dynamic_version`: a wheel whose version says what it was made of, so that a cluster that has an older one of the same
// version installs it anew.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ResolvedArtifact } from '../resolve/resolved-bundle.ts';
import { type BuiltFile, readBuilt } from './build-artifact.ts';
import { type BuildOptions, runBuild } from './run-build.ts';

/** Of the hash of the source; a letter first, because a part of a version that is a number is written without zeros. */
const HASH_CHARS = 12;

/**
 * Writes the wheel again under its new version: the names of its own folders, its metadata, and the record of its files
 * with their hashes (packaging.python.org/specifications/binary-distribution-format).
 */
const SCRIPT = `
import base64, csv, hashlib, io, os, sys, zipfile
source, folder, label = sys.argv[1:]
name, version, tags = os.path.basename(source)[:-4].split("-", 2)
changed = version + ("." if "+" in version else "+") + label
old, new = f"{name}-{version}", f"{name}-{changed}"
target = os.path.join(folder, f"{new}-{tags}.whl")
rename = lambda path: new + path[len(old):] if path.startswith((old + ".dist-info/", old + ".data/")) else path
with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after:
    rows, record = [], None
    for entry in before.infolist():
        path, content = rename(entry.filename), before.read(entry)
        if path == new + ".dist-info/METADATA":
            head, separator, body = content.partition(b"\\n\\n")
            lines = [b"Version: " + changed.encode() if line.lower().startswith(b"version:") else line for line in head.split(b"\\n")]
            content = b"\\n".join(lines) + separator + body
        kept = zipfile.ZipInfo(path, entry.date_time)
        kept.external_attr, kept.compress_type = entry.external_attr, zipfile.ZIP_DEFLATED
        if path == new + ".dist-info/RECORD":
            record = kept
            rows.append([path, "", ""])
            continue
        if not path.endswith("/"):
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append([path, "sha256=" + digest, len(content)])
        after.writestr(kept, content)
    if record is None:
        sys.exit(source + " has no RECORD: it is no wheel")
    text = io.StringIO()
    csv.writer(text, lineterminator="\\n").writerows(rows)
    after.writestr(record, text.getvalue())
`;

export async function patchVersion(
  file: BuiltFile,
  artifact: ResolvedArtifact,
  { sourceHash, ...options }: BuildOptions & { readonly sourceHash: string },
): Promise<BuiltFile> {
  if (!file.name.endsWith('.whl')) return file;
  const scratch = await mkdtemp(path.join(tmpdir(), 'headrace-version-'));
  try {
    const source = path.join(scratch, file.name);
    const output = path.join(scratch, 'patched');
    await writeFile(source, file.bytes);
    const label = `b${sourceHash.slice(0, HASH_CHARS)}`;
    const make = `import os, sys; os.mkdir(sys.argv[2])\n${SCRIPT}`;
    await runBuild(artifact, {
      command: [options.python, '-c', make, source, output, label],
      folder: scratch,
      ...options,
    });
    const [name = file.name] = await readdir(output);
    return await readBuilt(path.join(output, name));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
