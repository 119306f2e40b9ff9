/** Loaded into a server process: its wall clock steps by what the file says, in milliseconds, when it gets SIGUSR2. */
import fs from 'node:fs';

const RealDate = Date;
const realNow = Date.now.bind(Date);
let stepMs = 0;
process.on('SIGUSR2', () => {
  stepMs = Number(fs.readFileSync(process.env.STEP_CLOCK_FILE, 'utf8'));
});
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(realNow() + stepMs);
    else super(...parts);
  }
  static now() {
    return realNow() + stepMs;
  }
};
