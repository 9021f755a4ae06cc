/**
 * How each family of condition operators compares one value of the policy with one of the request.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @module
 */
import type { Context } from './decision.ts'
import {
  operators,
  type Family,
  type OperatorName,
  type PolicyVersion,
  type Relation,
} from './document.ts'
import { compileGlob, type Glob, type Piece } from './glob.ts'
import { isAmong, readAddresses, readBase64, readBool, readDate, readNumber } from './scalars.ts'
import { isConstant, parseTemplate, resolveTemplate, type TemplatePart } from './template.ts'

/**
 * `unresolved`: a policy variable has no value, and what has no value equals nothing. `unreadable`:
 * the request's value is not of the operator's type.
 */
export type Verdict = boolean | 'unresolved' | 'unreadable'

/** Compares a value of the request with a value of the policy. */
export type Test = (requestValue: string) => Verdict

/**
 * The test that a value of the policy asks for in one request: its variables are filled in once, and
 * not again for each value of the request.
 */
export type Comparison = (context: Context) => Test

/** Makes the comparison that a policy's value asks for; undefined when it is not of the type. */
type Compile = (
  policyValue: string,
  relation: Relation,
  variables: boolean,
) => Comparison | undefined

const families: Readonly<Record<Family, Compile>> = {
  string: (value, _relation, variables) => text(value, variables, (each) => each),
  'string-ignore-case': (value, _relation, variables) =>
    text(value, variables, (each) => each.toLowerCase()),
  'string-like': (value, _relation, variables) =>
    globbed(parseTemplate(value, { variables, wildcards: true }), compileGlob),
  arn: (value, _relation, variables) => arn(value, variables),
  numeric: (value, relation) => ordered(readNumber, value, relation),
  date: (value, relation) => ordered(readDate, value, relation),
  bool: (value, relation) => ordered(readBool, value, relation),
  null: (value, relation) => ordered(readBool, value, relation),
  binary: (value, relation) => ordered(readBinary, value, relation),
  ip: (value) => ip(value),
}

/** The comparison that `policyValue` asks for; undefined when it is not of the operator's type. */
export function comparisonOf(
  name: OperatorName,
  policyValue: string,
  version: PolicyVersion,
): Comparison | undefined {
  const { family, relation } = operators[name]
  return families[family](policyValue, relation, version === '2012-10-17')
}

/** Bytes compare as the one text that encodes them. */
function readBinary(value: string): string | undefined {
  return readBase64(value)?.toString('base64')
}

type Ordered = number | string | boolean

function ordered(
  read: (text: string) => Ordered | undefined,
  policyValue: string,
  relation: Relation,
): Comparison | undefined {
  const wanted = read(policyValue)
  if (wanted === undefined) return undefined
  const relates = relations[relation]
  return always((requestValue) => {
    const given = read(requestValue)
    return given === undefined ? 'unreadable' : relates(given, wanted)
  })
}

/** What no variable has a say in. */
function always(test: Test): Comparison {
  return () => test
}

const unresolved: Test = () => 'unresolved'

const relations: Readonly<Record<Relation, (given: Ordered, wanted: Ordered) => boolean>> = {
  equal: (given, wanted) => given === wanted,
  less: (given, wanted) => given < wanted,
  'less-or-equal': (given, wanted) => given <= wanted,
  greater: (given, wanted) => given > wanted,
  'greater-or-equal': (given, wanted) => given >= wanted,
}

function ip(policyValue: string): Comparison | undefined {
  const addresses = readAddresses(policyValue)
  if (addresses === undefined) return undefined
  return always((requestValue) => isAmong(addresses, requestValue) ?? 'unreadable')
}

function text(
  policyValue: string,
  variables: boolean,
  fold: (value: string) => string,
): Comparison | undefined {
  const parts = parseTemplate(policyValue, { variables, wildcards: false })
  return globbed(parts, (pieces) => {
    const wanted = fold(pieces.filter((piece) => typeof piece === 'string').join(''))
    return (value) => fold(value) === wanted
  })
}

/** Compiles once what is constant, and per request what holds variables. */
function globbed(
  parts: readonly TemplatePart[] | undefined,
  compile: (pieces: readonly Piece[]) => Glob,
): Comparison | undefined {
  if (parts === undefined) return undefined
  if (isConstant(parts)) return always(compile(parts))
  return (context) => {
    const pieces = resolveTemplate(parts, context)
    return pieces === undefined ? unresolved : compile(pieces)
  }
}

const arnSegments = 6

/** ARNs compare segment by segment, wildcards inside each; `ArnEquals` and `ArnLike` are the same. */
function arn(policyValue: string, variables: boolean): Comparison | undefined {
  const parts = parseTemplate(policyValue, { variables, wildcards: true })
  if (parts === undefined) return undefined
  if (isConstant(parts)) {
    const globs = arnGlobs(parts)
    return globs === undefined ? undefined : always((value) => matchArn(globs, value))
  }
  return (context) => {
    const pieces = resolveTemplate(parts, context)
    const globs = pieces === undefined ? undefined : arnGlobs(pieces)
    return globs === undefined ? unresolved : (value) => matchArn(globs, value)
  }
}

/** A glob for each segment; undefined for what has fewer than six, but for a lone star. */
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

function matchArn(globs: readonly Glob[], value: string): Verdict {
  const segments = splitArn(value, arnSegments - 1)
  if (segments.length !== arnSegments || segments[0] !== 'arn') return 'unreadable'
  return segments.every((segment, index) => globs[index]?.(segment) === true)
}

/** Splits at the first `colonsMax` colons; the last part keeps the others. */
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
