/**
 * Offsets of time zones. Transitions are found once for each zone and year: a library asked for each schedule would be
 * too slow for a hundred thousand.
 */
import { Temporal } from 'temporal-polyfill';

interface Transition {
  readonly atMs: number;
  /** Milliseconds that the zone is ahead of UTC. */
  readonly before: number;
  readonly after: number;
}

interface ZoneYear {
  readonly offsetAtStart: number;
  readonly transitions: readonly Transition[];
}

export type WallMoment =
  | { readonly kind: 'at'; readonly epochMs: number }
  /** The clock jumps over it, to this wall time. */
  | { readonly kind: 'skipped'; readonly untilWallMs: number };

const dayMs = 86_400_000;
/** Expressions that name a far year would fill the memory else: about 100 bytes each. */
const yearsMax = 2_000;

export class ZoneOffsets {
  readonly #name: string;
  readonly #years = new Map<number, ZoneYear>();

  private constructor(name: string) {
    this.#name = name;
  }

  /** Null where no zone has this name. */
  static of(name: string): ZoneOffsets | null {
    const known = zones.get(name);
    if (known) return known;
    if (!isTimeZone(name)) return null;
    const zone = new ZoneOffsets(name);
    if (zones.size >= zonesMax) zones.clear();
    zones.set(name, zone);
    return zone;
  }

  /** Milliseconds that a clock on the wall shows, counted as if it were UTC. */
  toWallMs(epochMs: number): number {
    const { offsetAtStart, transitions } = this.#year(yearOf(epochMs));
    let offset = offsetAtStart;
    for (const { atMs, after } of transitions) if (atMs <= epochMs) offset = after;
    return epochMs + offset;
  }

  /** A time that the clock shows twice means the later moment, as Quartz takes it. */
  toMoment(wallMs: number): WallMoment {
    const first = this.#year(yearOf(wallMs - dayMs));
    let offset = first.offsetAtStart;
    for (const { atMs, before, after } of this.#around(wallMs)) {
      if (wallMs < atMs + Math.min(before, after)) break;
      if (wallMs < atMs + after) return { kind: 'skipped', untilWallMs: atMs + after };
      offset = after;
    }
    return { kind: 'at', epochMs: wallMs - offset };
  }

  #around(wallMs: number): readonly Transition[] {
    const [from, to] = [yearOf(wallMs - dayMs), yearOf(wallMs + dayMs)];
    const { transitions } = this.#year(from);
    return to === from ? transitions : [...transitions, ...this.#year(to).transitions];
  }

  #year(year: number): ZoneYear {
    const known = this.#years.get(year);
    if (known) return known;
    const found = findTransitions(this.#name, year);
    if (this.#years.size >= yearsMax) this.#years.clear();
    this.#years.set(year, found);
    return found;
  }
}

const zones = new Map<string, ZoneOffsets>();
/** More than there are; spellings differ. */
const zonesMax = 2_000;

function findTransitions(name: string, year: number): ZoneYear {
  const start = Temporal.Instant.fromEpochMilliseconds(Date.UTC(year, 0, 1)).toZonedDateTimeISO(name);
  const endMs = Date.UTC(year + 1, 0, 1);
  const offsetAtStart = start.offsetNanoseconds / 1e6;
  const transitions: Transition[] = [];
  let before = offsetAtStart;
  for (
    let at = start.getTimeZoneTransition('next');
    at !== null && at.epochMilliseconds < endMs;
    at = at.getTimeZoneTransition('next')
  ) {
    const after = at.offsetNanoseconds / 1e6;
    transitions.push({ atMs: at.epochMilliseconds, before, after });
    before = after;
  }
  return { offsetAtStart, transitions };
}

function yearOf(epochMs: number): number {
  return new Date(epochMs).getUTCFullYear();
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // The only way to ask about any spelling: lists of zones lack their older names.
    return false;
  }
}
