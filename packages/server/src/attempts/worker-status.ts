/** Workers and hosts as they last reported, for the status page and the cluster list. */
export { type HostRow, listHostRows, listWorkerRows, type WorkerRow } from './store.ts';
