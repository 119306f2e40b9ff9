/**
 * Hosts that another backend has left. Only the backend that made them can lead them or prove their end; to any other their
 * tasks look as if nobody had ever started them, and would be started a second time beside them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { listPodRecords } from './kubernetes/host-folder.ts';
import { readHostRecord } from './local/local-host.ts';
import { isAlive } from './local/processes.ts';

/** A sentence for whoever starts this one; null where there are none. */
export function findOtherHosts({
  backend,
  stateFolder,
  hostsFolder,
}: {
  readonly backend: string;
  readonly stateFolder: string;
  readonly hostsFolder: string;
}): string | null {
  const [other, names] =
    backend === 'kubernetes'
      ? ['local or spark-standalone', findProcesses(hostsFolder)]
      : ['kubernetes', findPods(path.join(stateFolder, 'pods'))];
  if (names.length === 0) return null;
  return `HEADRACE_BACKEND=${backend}, and hosts of another backend (${other}) have not ended: ${names.join(', ')}. Nothing here can lead them or tell when their tasks end: start with the backend of before, let the tasks end, terminate the clusters, and change it then`;
}

function findProcesses(hostsFolder: string): string[] {
  if (!fs.existsSync(hostsFolder)) return [];
  return fs.readdirSync(hostsFolder).filter((name) => {
    const record = readHostRecord(path.join(hostsFolder, name));
    return record !== null && isAlive(record);
  });
}

/** Those whose end is not proven, but for starts that failed: nothing was sent to them. */
function findPods(podsFolder: string): string[] {
  return listPodRecords(podsFolder).flatMap(({ record }) =>
    record === null || record.death !== undefined || record.isAbandoned ? [] : [record.name],
  );
}
