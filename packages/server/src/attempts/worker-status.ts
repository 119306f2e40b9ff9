/** Workers as they last reported, for the status page. */
export { listWorkerRows, type WorkerRow } from './store.ts';
