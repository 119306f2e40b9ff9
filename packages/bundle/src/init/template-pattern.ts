// How long a template's regular expressions may be, and what they are matched with. That keeps accidents short; it is no
// bound: some short patterns try exponentially many ways through a short text.

export const patternCharsMax = 200;
const matchedCharsMax = 1_000;

export function isTooLongToMatch(text: string): boolean {
  return text.length > matchedCharsMax;
}

export const tooLongToMatch = `only texts of at most ${matchedCharsMax} characters are matched with a pattern`;
