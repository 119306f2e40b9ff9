/** The cases of which Quartz 2.3.2 told the fire times, and where these are kept. */
import path from 'node:path';
import { type CronCase, generateCases } from './cases.ts';

const count = 12_000;
const seed = 20_261_121;

export const answersFile = path.join(import.meta.dirname, 'answers.txt.gz');

export function recordedCases(): CronCase[] {
  return generateCases(count, seed);
}
