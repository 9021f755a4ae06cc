/**
 * Comparisons of the condition operators, by family: one value of the policy with one value of the
 * request.
 * @see
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @module
 */
import {
  operators,
  type Family,
  type OperatorName,
  type PolicyLanguageVersion,
  type Relation,
} from './document.ts'
import { compileGlob, type Glob, type Piece } from './glob.ts'
import { isAmong, readAddresses, readBase64, readBool, readDate, readNumber } from './scalars.ts'
import { isConstant, parseTemplate, resolveTemplate, type TemplatePart } from './template.ts'
import type { Verdict } from './undecided.ts'
import { spend, type Work } from './work.ts'
import type { Context } from './context-values.ts'

/**
 * Compares a value of the request with a value of the policy. As at AWS, a policy variable without a
 * value equals nothing.
 */
export type Test = (requestValue: string, work: Work) => Verdict

/**
 * Makes the test for one request. It fills in the variables of the policy's value once, not for each
 * value of the request.
 */
export type Comparison = (context: Context, work: Work) => Test

/**
 * Compiles the comparison for a policy's value; undefined when the value does not have the operator's
 * type.
 */
type Compile = (
  policyValue: string,
  relation: Relation,
  variables: boolean,
) => Comparison | undefined

const families: Readonly<Record<Family, Compile>> = {
  string: (value, _relation, variables) => text(value, variables, sameText),
  'string-ignore-case': (value, _relation, variables) => text(value, variables, sameFolded),
  'string-like': (value, _relation, variables) =>
    filled(parseTemplate(value, { variables, wildcards: true }), compileGlob),
  arn: (value, _relation, variables) => arn(value, variables),
  numeric: (value, relation) => ordered(readNumber, value, relation, 200),
  date: (value, relation) => ordered(readDate, value, relation, 3000),
  bool: (value, _relation, variables) => bool(value, variables),
  null: (value, relation) => ordered(readBool, value, relation, 50),
  binary: (value, relation) => ordered(readBinary, value, relation, 1500),
  ip: (value) => ip(value),
}

/** The comparison for `policyValue`; undefined when it does not have the operator's type. */
export function comparisonOf(
  name: OperatorName,
  policyValue: string,
  version: PolicyLanguageVersion,
): Comparison | undefined {
  const { family, relation } = operators[name]
  return families[family](policyValue, relation, version === '2012-10-17')
}

/** The canonical base64 text, by which bytes are compared. */
function readBinary(value: string): string | undefined {
  return readBase64(value)?.toString('base64')
}

type Ordered = number | string | boolean

/** @param steps work for a short value; a long value adds one for each unit */
function ordered(
  read: (text: string) => Ordered | undefined,
  policyValue: string,
  relation: Relation,
  steps: number,
): Comparison | undefined {
  const wanted = read(policyValue)
  if (wanted === undefined) return undefined
  const relates = relations[relation]
  return always((requestValue, work) => {
    spend(work, steps + 4 * requestValue.length)
    const given = read(requestValue)
    return given === undefined ? 'value' : relates(given, wanted)
  })
}

/** For values without variables. */
function always(test: Test): Comparison {
  return () => test
}

const never: Test = () => false
const undecided: Test = () => 'value'

const relations: Readonly<Record<Relation, (given: Ordered, wanted: Ordered) => boolean>> = {
  equal: (given, wanted) => given === wanted,
  less: (given, wanted) => given < wanted,
  'less-or-equal': (given, wanted) => given <= wanted,
  greater: (given, wanted) => given > wanted,
  'greater-or-equal': (given, wanted) => given >= wanted,
}

const addressSteps = 500

function ip(policyValue: string): Comparison | undefined {
  const addresses = readAddresses(policyValue)
  if (addresses === undefined) return undefined
  return always((requestValue, work) => {
    spend(work, addressSteps)
    return isAmong(addresses, requestValue) ?? 'value'
  })
}

/** The text of pieces without wildcards. */
function joined(pieces: readonly Piece[]): string {
  return pieces.filter((piece) => typeof piece === 'string').join('')
}

function text(
  policyValue: string,
  variables: boolean,
  compile: (wanted: string) => Test,
): Comparison | undefined {
  const parts = parseTemplate(policyValue, { variables, wildcards: false })
  return filled(parts, (pieces) => compile(joined(pieces)))
}

/** Steps of a comparison, in addition to the units that it reads. */
const textSteps = 8
/** Steps for a unit in lower case. Most letters beyond ASCII take that many. */
const foldSteps = 32

function sameText(wanted: string): Test {
  return (value, work) => {
    const same = value.length === wanted.length
    spend(work, textSteps + (same ? value.length : 0))
    return same && value === wanted
  }
}

function sameFolded(policyValue: string): Test {
  const wanted = policyValue.toLowerCase()
  return (value, work) => {
    spend(work, textSteps + foldSteps * value.length)
    return value.toLowerCase() === wanted
  }
}

function bool(policyValue: string, variables: boolean): Comparison | undefined {
  const parts = parseTemplate(policyValue, { variables, wildcards: false })
  if (parts === undefined) return undefined
  if (isConstant(parts) && readBool(joined(parts)) === undefined) return undefined
  return filled(parts, (pieces) => {
    const wanted = readBool(joined(pieces))
    if (wanted === undefined) return undecided
    return (value, work) => {
      spend(work, 50)
      const given = readBool(value)
      return given === undefined ? 'value' : given === wanted
    }
  })
}

/** Compiles constant values once, and values with variables for each request. */
function filled(
  parts: readonly TemplatePart[] | undefined,
  compile: (pieces: readonly Piece[]) => Test,
): Comparison | undefined {
  if (parts === undefined) return undefined
  if (isConstant(parts)) return always(compile(parts))
  return (context, work) => {
    const pieces = resolveTemplate(parts, context, work)
    return pieces === 'no-value' ? never : pieces === 'value' ? undecided : compile(pieces)
  }
}

const arnSegments = 6
/** Steps for splitting an ARN. */
const arnSteps = 600

/** Compares ARNs segment by segment, with wildcards inside each. `ArnEquals` and `ArnLike` are the same. */
function arn(policyValue: string, variables: boolean): Comparison | undefined {
  const parts = parseTemplate(policyValue, { variables, wildcards: true })
  if (parts !== undefined && isConstant(parts) && arnGlobs(parts) === undefined) return undefined
  return filled(parts, (pieces) => {
    const globs = arnGlobs(pieces)
    return globs === undefined ? undecided : (value, work) => matchArn(globs, value, work)
  })
}

/** A glob for each segment. Undefined with fewer than six segments, except for a single star. */
function arnGlobs(pieces: readonly Piece[]): readonly Glob[] | undefined {
  const segments: Piece[][] = [[]]
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      segments.at(-1)?.push(piece)
      continue
    }
    const [head = '', ...tails] = splitArn(piece, arnSegments - segments.length)
    segments.at(-1)?.push(head)
    for (const tail of tails) segments.push([tail])
  }
  const anyArn = pieces.length === 1 && typeof pieces[0] === 'symbol'
  if (anyArn) return Array.from({ length: arnSegments }, () => compileGlob(pieces))
  return segments.length === arnSegments ? segments.map(compileGlob) : undefined
}

function matchArn(globs: readonly Glob[], value: string, work: Work): Verdict {
  spend(work, arnSteps + value.length)
  const segments = splitArn(value, arnSegments - 1)
  if (segments.length !== arnSegments || segments[0] !== 'arn') return 'value'
  return segments.every((segment, index) => globs[index]?.(segment, work) === true)
}

/** Splits at the first `colonsMax` colons. The last part keeps the other colons. */
function splitArn(value: string, colonsMax: number): readonly string[] {
  const parts: string[] = []
  let at = 0
  while (parts.length < colonsMax) {
    const colon = value.indexOf(':', at)
    if (colon === -1) break
    parts.push(value.slice(at, colon))
    at = colon + 1
  }
  return [...parts, value.slice(at)]
}
