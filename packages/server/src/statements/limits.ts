/** What statements, sessions and results may take; docs/warehouses.md lists them. */
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Of one warehouse; others wait. */
export const runningMax = 10;
/** Of one warehouse; more are refused. */
export const pendingMax = 1_000;
/** Of one principal on one warehouse. Each is a session of Spark. */
export const sessionsMax = 200;
export const sessionIdleMs = 8 * hourMs;
/** From the end of its statement, and again from when a part of it was read last. */
export const resultKeptMs = hourMs;
/** A result with less left is given the whole time again when it is read. */
export const resultRenewedMs = resultKeptMs / 2;
export const linkLifetimeMs = 15 * minuteMs;
export const historyKeptMs = 30 * dayMs;
/** Of one statement; a client's own limit may be lower. */
export const resultBytesMax = 1024 ** 3;
/** Its token is good for seven days. */
export const endpointAgeMs = 5 * dayMs;
export const statementTimeoutMs = 2 * dayMs;
