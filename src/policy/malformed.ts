/**
 * The faults of a written policy, and AWS's messages for them. Where AWS's message is unknown, Trent's
 * own is lower case, names the position and never quotes the policy.
 * @module
 */
import { KmsError } from '../errors.ts'

export type PolicyFault =
  | { readonly kind: 'size'; readonly bytes: number; readonly bytesMax: number }
  | { readonly kind: 'length'; readonly characters: number; readonly charactersMax: number }
  | { readonly kind: 'characters' }
  | { readonly kind: 'json'; readonly why: 'syntax' | 'depth' | 'duplicate' }
  /** A principal that is missing, malformed, of another partition, or does not exist. */
  | {
      readonly kind: 'principal'
      readonly at: string
      /** The invalid entry, for refusals that name it. */
      readonly named?: { readonly type: string; readonly name: string }
    }
  /** What a trust policy must or must not hold, in AWS's words. */
  | { readonly kind: 'trust'; readonly says: string }
  | { readonly kind: 'lockout' }
  /** More of something than a policy may hold. */
  | { readonly kind: 'count'; readonly of: string; readonly max: number }
  | { readonly kind: 'structure'; readonly at: string; readonly problem: string }

/** Carries a fault from a reader to the result. Thrown and caught inside `policy/` only. */
export class PolicyFaultFound extends Error {
  readonly fault: PolicyFault

  constructor(fault: PolicyFault) {
    super(fault.kind)
    this.fault = fault
  }
}

const jsonProblems = {
  syntax: 'it is not valid JSON',
  depth: 'it is nested too deeply',
  duplicate: 'it names a member twice',
} as const

/** The error for a policy with this fault. */
export function malformedPolicy(fault: PolicyFault): KmsError {
  const code = fault.kind === 'size' ? 'LimitExceededException' : 'MalformedPolicyDocumentException'
  return new KmsError(code, describeFault(fault))
}

const said: {
  readonly [K in PolicyFault['kind']]: (fault: Extract<PolicyFault, { kind: K }>) => string
} = {
  size: ({ bytes, bytesMax }) => `the policy has ${bytes} bytes, more than ${bytesMax}`,
  length: ({ characters, charactersMax }) =>
    `the policy has ${characters} characters, more than ${charactersMax}`,
  characters: () => 'the policy holds a character that is not allowed',
  json: ({ why }) => `the policy cannot be read: ${jsonProblems[why]}`,
  principal: () => 'Policy contains a statement with one or more invalid principals.',
  trust: ({ says }) => says,
  lockout: () => 'The new key policy will not allow you to update the key policy in the future.',
  count: ({ of, max }) => `the policy holds more than ${max} ${of}`,
  structure: ({ at, problem }) => `the policy is malformed at \`${at}\`: ${problem}`,
}

/** One sentence about `fault`. */
export function describeFault(fault: PolicyFault): string {
  // Each entry takes its own kind of fault, which the type of a union of functions cannot express.
  const say = said[fault.kind] as (fault: PolicyFault) => string
  return say(fault)
}
