/** Workers as they last reported, for the status page. */
export { listWorkerRows } from './store.ts';
