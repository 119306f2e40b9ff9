/** The rules that a policy may have for one attribute, as the hosted product documents them. */
import { z } from 'zod';
import type { Path } from './attribute-path.ts';

export const policyRuleTypes = [
  'fixed',
  'forbidden',
  'allowlist',
  'blocklist',
  'regex',
  'range',
  'unlimited',
] as const;

const listValuesMax = 1_000;
const patternCharsMax = 1_000;
const Value = z.union([z.string().max(4_096), z.number(), z.boolean()]);
const hints = { isOptional: z.boolean().optional(), hidden: z.boolean().optional() };
const limiting = { ...hints, defaultValue: Value.optional() };
const values = z.array(Value).min(1).max(listValuesMax);

/** Strict: a slip in a rule would open what it is meant to close. */
export const RuleDocument = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('fixed'), value: Value, ...hints }),
  z.strictObject({ type: z.literal('forbidden'), ...hints }),
  z.strictObject({ type: z.literal('allowlist'), values, ...limiting }),
  z.strictObject({ type: z.literal('blocklist'), values, ...limiting }),
  z.strictObject({ type: z.literal('regex'), pattern: z.string().min(1).max(patternCharsMax), ...limiting }),
  z
    .strictObject({
      type: z.literal('range'),
      minValue: z.number().optional(),
      maxValue: z.number().optional(),
      ...limiting,
    })
    .refine(({ minValue: min, maxValue: max }) => min !== undefined || max !== undefined, {
      message: 'minValue or maxValue: one of them is needed',
    })
    .refine(({ minValue: min, maxValue: max }) => min === undefined || max === undefined || min <= max, {
      message: 'minValue is more than maxValue',
    }),
  z.strictObject({ type: z.literal('unlimited'), ...limiting }),
]);
export type RuleDocument = z.output<typeof RuleDocument>;

export interface PolicyRule {
  readonly path: Path;
  readonly rule: RuleDocument;
}

/** What a reader needs to find the rule: of which policy, and what it allows. */
export interface PolicyRules {
  readonly policyId: string;
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}
