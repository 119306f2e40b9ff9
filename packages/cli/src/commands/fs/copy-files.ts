/** `headrace fs cp`: between this machine and the server, or within the server, a file or a folder. */
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { print } from '../../output/print.ts';
import { example } from '../example.ts';
import { findRemote, readRemote, toRemotePath, writeRemote } from './remote-files.ts';

interface Options extends ConnectionOptions {
  readonly recursive?: boolean;
  readonly overwrite?: boolean;
}

export function createFsCpCommand(context: CliContext): Command {
  const command = new Command('cp')
    .description('copy a file, or with -r a folder; paths without dbfs:/ or /Volumes are of this machine')
    .argument('<source>')
    .argument('<target>')
    .option('-r, --recursive', 'a folder with all in it')
    .option('--overwrite', 'replace files that are there')
    .addHelpText('after', example('fs cp report.csv /Volumes/main/default/landing/'))
    .action(async (source: string, target: string, options: Options) => {
      const client = await connect(context, options);
      const from = placeOf(client, context, source);
      const to = placeOf(client, context, target);
      if (!from.isRemote && !to.isRemote)
        throw failed('both are of this machine: one is to begin with dbfs:/ or /Volumes/', exitCodes.usage);
      const kind = await from.kind(from.path);
      if (kind === null) throw failed(`there is no ${source}`, exitCodes.notFound);
      if (kind === 'folder' && !options.recursive)
        throw failed(`${source} is a folder; -r copies it`, exitCodes.usage);
      const intoFolder = target.endsWith('/') || (kind === 'file' && (await to.kind(to.path)) === 'folder');
      const places = {
        source: from.path,
        target: intoFolder ? path.posix.join(to.path, path.posix.basename(from.path)) : to.path,
      };
      if (from.isRemote && to.isRemote && isWithin(places.source, places.target))
        throw failed(`${target} is ${source} or lies in it`, exitCodes.usage);
      const copied = await copy(from, to, { ...places, overwrite: options.overwrite ?? false });
      print(context, copied === 1 ? '1 file is copied' : `${copied} files are copied`);
    });
  return addConnectionOptions(command);
}

interface Side {
  readonly isRemote: boolean;
  readonly path: string;
  kind(path: string): Promise<'file' | 'folder' | null>;
  list(path: string): Promise<readonly string[]>;
  read(path: string): AsyncIterable<Uint8Array>;
  write(path: string, content: AsyncIterable<Uint8Array>, overwrite: boolean): Promise<void>;
  makeFolder(path: string): Promise<void>;
}

function placeOf(client: Client, context: CliContext, text: string): Side {
  const remote = toRemotePath(text);
  return remote === null ? localSide(path.resolve(context.folder, text)) : remoteSide(client, remote);
}

async function copy(
  from: Side,
  to: Side,
  { source, target, overwrite }: { source: string; target: string; overwrite: boolean },
): Promise<number> {
  if ((await from.kind(source)) !== 'folder') {
    await to.write(target, from.read(source), overwrite);
    return 1;
  }
  await to.makeFolder(target);
  let copied = 0;
  for (const name of await from.list(source)) {
    const below = { source: path.posix.join(source, name), target: path.posix.join(target, name) };
    copied += await copy(from, to, { ...below, overwrite });
  }
  return copied;
}

function remoteSide(client: Client, place: string): Side {
  return {
    isRemote: true,
    path: place.length > 1 ? place.replace(/\/$/, '') : place,
    async kind(at) {
      const found = await findRemote(client, at);
      if (found === null) return null;
      return found.is_dir ? 'folder' : 'file';
    },
    async list(at) {
      const { files = [] } = await client.dbfsList({ path: at });
      return files.map((file) => path.posix.basename(file.path));
    },
    read: (at) => readRemote(client, at),
    write: (at, content, overwrite) => writeRemote(client, at, { content, overwrite }),
    async makeFolder(at) {
      await client.dbfsMkdirs({ path: at });
    },
  };
}

function localSide(place: string): Side {
  return {
    isRemote: false,
    path: place,
    async kind(at) {
      const stat = await fs.stat(at).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
        throw error;
      });
      if (stat === null) return null;
      return stat.isDirectory() ? 'folder' : 'file';
    },
    list: async (at) => (await fs.readdir(at)).sort(),
    read: (at) => createReadStream(at),
    write: writeLocal,
    async makeFolder(at) {
      await fs.mkdir(at, { recursive: true });
    },
  };
}

/** What breaks off leaves what was there: the content goes beside the file, and takes its name when it is whole. */
async function writeLocal(at: string, content: AsyncIterable<Uint8Array>, overwrite: boolean): Promise<void> {
  await fs.mkdir(path.dirname(at), { recursive: true });
  const before = await fs.stat(at).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (before && !overwrite) throw isThere(at);
  // A device, as /dev/stdout, is not replaced by a file.
  if (before && !before.isFile()) return fs.writeFile(at, content);
  const file = before ? await fs.realpath(at) : at;
  const part = `${file}.${process.pid}.part`;
  try {
    await fs.writeFile(part, content);
    await (overwrite ? fs.rename(part, file) : renameToNew(part, file));
  } finally {
    await fs.rm(part, { force: true });
  }
}

/** A second name replaces nothing, as a rename would; some disks have none. */
async function renameToNew(part: string, file: string): Promise<void> {
  await fs.link(part, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw isThere(file);
    return fs.rename(part, file);
  });
}

/** Names of volumes mean the same in any case, and doubled slashes nothing. */
function isWithin(folder: string, place: string): boolean {
  const fold = (text: string) => {
    const parts = text.split('/').filter((part) => part !== '');
    const volume = parts[0] === 'Volumes' ? parts.splice(0, 4).map((part) => part.toLowerCase()) : [];
    return `/${[...volume, ...parts].join('/')}`;
  };
  return `${fold(place)}/`.startsWith(fold(folder) === '/' ? '/' : `${fold(folder)}/`);
}

const isThere = (place: string) =>
  failed(`${place} exists already; --overwrite replaces it`, exitCodes.failed);
const failed = (text: string, exitCode: (typeof exitCodes)[keyof typeof exitCodes]) =>
  new CommandError(text, { exitCode });
