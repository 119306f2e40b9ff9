/** The pair that the server shows, kept up to date: files that change are read again, its own is made anew in time. */
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Clock } from '../services.ts';
import { StartError } from '../start-error.ts';
import { ensureLocalPair } from './local-authority.ts';
import { type PairFiles, readPair, type TlsPair, vouchesFor } from './read-pair.ts';

export interface ServerTls {
  /** Of the state folder's own authority; null where the pair was given. */
  readonly caFile: string | null;
  pair(): TlsPair;
  /** A name that the certificate vouches for: `host`, if it does so for that. */
  nameFor(host: string): string;
  /** Called with each new pair. */
  onChange(listener: (pair: TlsPair) => void): void;
  stop(): void;
}

/** Whoever replaces files looks at once whether that took. */
const lookMs = 5_000;
/** Our own is made anew a month before its end. */
const ownLookMs = 3_600_000;

type TlsSettings = Pick<Config, 'tls' | 'tlsCert' | 'tlsKey' | 'host' | 'publicUrl'>;

/** Null: HTTP without TLS. */
export async function openTls(
  settings: TlsSettings,
  { folder, clock, log }: { folder: string; clock: Clock; log: Logger },
): Promise<ServerTls | null> {
  const { tlsCert, tlsKey } = settings;
  const isGiven = tlsCert !== null && tlsKey !== null;
  if (!isGiven && settings.tls === 'off') return null;
  const names = namesOf(settings);
  const find = async (): Promise<PairFiles & { caFile: string | null }> =>
    isGiven
      ? { certificateFile: tlsCert, keyFile: tlsKey, caFile: null }
      : ensureLocalPair(path.join(folder, 'tls'), { names, nowMs: clock.nowMs() });
  const files = await find();
  let seen = await stampOf(files);
  let pair = await readPair(files, clock.nowMs()).catch((cause) => {
    throw new StartError(`TLS: ${(cause as Error).message}`, { cause });
  });
  const listeners: ((pair: TlsPair) => void)[] = [];
  const look = async () => {
    const stamp = await stampOf(await find());
    if (stamp === seen) return;
    // One that is broken is told once; half of a pair is followed by the other.
    seen = stamp;
    pair = await readPair(files, clock.nowMs());
    for (const listener of listeners) listener(pair);
    log.info({ until: pair.leaf.validTo }, 'the certificate was read again');
  };
  const timer = setInterval(
    () => {
      look().catch((error) => log.warn({ err: error }, 'the new certificate is not used; the old one stays'));
    },
    isGiven ? lookMs : ownLookMs,
  ).unref();
  return {
    caFile: files.caFile,
    pair: () => pair,
    nameFor: (host) => nameFor(pair, host),
    onChange: (listener) => void listeners.push(listener),
    stop: () => clearInterval(timer),
  };
}

function nameFor(pair: TlsPair, host: string): string {
  if (vouchesFor(pair, host.replaceAll(/[[\]]/g, ''))) return host;
  const { leaf } = pair;
  const names = [...(leaf.subjectAltName ?? '').matchAll(/DNS:([^,\s"]+)/g)].map(([, name = '']) => name);
  return names.find((name) => !name.startsWith('*')) ?? host;
}

/** How clients may call this server. */
function namesOf({ host, publicUrl }: TlsSettings): string[] {
  const isWildcard = host === '0.0.0.0' || host === '::';
  const addresses = isWildcard
    ? Object.values(os.networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address))
    : [host];
  const own = isWildcard ? [os.hostname()] : [];
  const given = publicUrl === null ? [] : [new URL(publicUrl).hostname.replaceAll(/[[\]]/g, '')];
  const names = ['localhost', '127.0.0.1', '::1', ...addresses, ...own, ...given];
  // Addresses of a link are good on one link only, and need its name.
  return [...new Set(names)].filter((name) => name !== '' && !(net.isIPv6(name) && /^fe80/i.test(name)));
}

async function stampOf({ certificateFile, keyFile }: PairFiles): Promise<string> {
  const stamps = await Promise.all(
    [certificateFile, keyFile].map(async (file) => {
      const found = await fs.stat(file).catch(() => null);
      return `${found?.ino} ${found?.mtimeMs} ${found?.size}`;
    }),
  );
  return stamps.join(' ');
}
