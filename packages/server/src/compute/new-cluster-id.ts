import crypto from 'node:crypto';

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const lettersCount = 8;

/** Looks as clients know them, `0923-164208-meows279`: the time of its making, and what no other has. */
export function newClusterId(nowMs: number): string {
  const [, month, day, ...time] =
    /^\d+-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(new Date(nowMs).toISOString()) ?? [];
  const rest = Array.from({ length: lettersCount }, () => letters[crypto.randomInt(letters.length)]);
  return `${month}${day}-${time.join('')}-${rest.join('')}`;
}
